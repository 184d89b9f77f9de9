import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OptionsError } from '../../src/options/mistakes.ts'
import { resolveOptions } from '../../src/options/resolve.ts'
import type { ResolvedOptions } from '../../src/options/resolved.ts'
import type { MachineAuthOptions } from '../../src/options/types.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'

/** Random, and used nowhere else. */
export const SECRET = 'q7Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ5a'
export const OTHER_SECRET = 'A5jh3Fu6Sp1Lt8Rn4Kd9CxZ2bVm0wY7q'
export const MASTER_KEY = 'm4Tq9sXv1BnK7wEy3GzP8cLd5RfH2jUa'

/** A directory of its own, gone at the end of the scope. */
export function temporaryDirectory(files: Readonly<Record<string, string>> = {}): { path: string } & Disposable {
  const path = createDatabaseDirectory('machine-auth')
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
  return { path, [Symbol.dispose]: () => removeDirectory(path) }
}

export interface Given {
  /** What TypeScript would refuse is given too. */
  readonly options?: unknown
  readonly env?: Record<string, string>
  readonly files?: Record<string, string>
}

/** Resolves in an empty directory and environment. */
export function resolve({ options = {}, env = {}, files = {} }: Given): ResolvedOptions {
  using directory = temporaryDirectory(files)
  return resolveOptions(options as MachineAuthOptions, { env, cwd: directory.path })
}

/** The error that options must cause. */
export function failure(given: Given): OptionsError {
  try {
    resolve(given)
  } catch (error) {
    if (error instanceof OptionsError) return error
    throw error
  }
  throw new Error('These options were accepted')
}
