/** Runs command lines in this process, each test in a directory of its own. */
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { runCli } from '../../src/cli/run.ts'
import type { CliIo } from '../../src/cli/terminal/io.ts'
import { type AnyMachineAuth, createMachineAuth } from '../../src/core.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { SECRET, START } from '../support/test-app.ts'

export interface RunInput {
  /** What standard input holds, or what a person types. */
  readonly stdin?: string
  readonly isTTY?: boolean
  readonly columns?: number
  /** Besides, or instead of, those of the directory. */
  readonly env?: CliIo['env']
  readonly untilStopped?: CliIo['untilStopped']
  readonly onOutput?: (text: string) => void
}

export interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
  /** Standard output as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: each command answers something else; tests say what they expect of it
  readonly json: any
  /** What happened at the terminal, in order: questions, and `<hide>` and `<show>` of what is typed. */
  readonly terminal: readonly string[]
}

export interface CliDirectory extends Disposable {
  readonly path: string
  readonly env: Record<string, string | undefined>
  readonly time: { now: number }
  run(args: readonly string[], input?: RunInput): Promise<Run>
  /** Looks into the database by a core of the test's own. */
  look<T>(act: (core: AnyMachineAuth) => Promise<T>): Promise<T>
}

/** A directory with a secret and a SQLite file by its environment, and nothing in it. */
export function createDirectory(env: CliIo['env'] = {}): CliDirectory {
  const path = createDatabaseDirectory('machine-auth-cli')
  const time = { now: START }
  const variables: Record<string, string | undefined> = {
    MACHINE_AUTH_DATABASE: `sqlite:${join(path, 'auth.db')}`,
    MACHINE_AUTH_SECRET: SECRET,
    ...env,
  }
  return {
    path,
    env: variables,
    time,
    async run(args, input = {}) {
      // No two commands at the same moment, so that what they did has an order.
      time.now += 1
      const written = { out: '', err: '' }
      const terminal: string[] = []
      const stdin = Object.assign(new PassThrough(), {
        setRawMode: (isRaw: boolean) => terminal.push(isRaw ? '<hide>' : '<show>'),
      })
      stdin.end(input.stdin ?? '')
      const code = await runCli(args, {
        stdin,
        stdout: {
          write(text) {
            written.out += text
            input.onOutput?.(text)
          },
        },
        stderr: {
          write(text) {
            written.err += text
            terminal.push(text)
          },
        },
        env: { ...variables, ...input.env },
        cwd: path,
        isTTY: input.isTTY ?? false,
        columns: input.columns ?? null,
        clock: () => time.now,
        untilStopped: input.untilStopped ?? (async () => undefined),
      })
      return {
        ...written,
        code,
        terminal,
        get json() {
          return JSON.parse(written.out)
        },
      }
    },
    async look(act) {
      await using core = createMachineAuth<string>({}, { env: variables, cwd: path, clock: () => time.now, warn() {} })
      await core.ready
      return await act(core)
    },
    [Symbol.dispose]: () => removeDirectory(path),
  }
}

/** Runs a command that must succeed, with `--json`, and answers what it said. */
export async function must(directory: CliDirectory, args: readonly string[], input: RunInput = {}) {
  const run = await directory.run([...args, '--json'], input)
  if (run.code !== 0) throw new Error(`machine-auth ${args.join(' ')}: exit ${run.code}\n${run.err}`)
  return run.json
}

/** The actions in the audit log, oldest first, with who did them. */
export function audited(directory: CliDirectory): Promise<readonly string[]> {
  return directory.look(async (core) => {
    const { items } = await core.audit.list({}, { limit: 100 })
    return items.map(({ action, actor }) => `${actor} ${action}`).reverse()
  })
}
