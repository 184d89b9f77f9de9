/** Follows a page as its reader would: writes its files, types its commands, runs its code. */
import { expect } from 'bun:test'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyMachineAuth } from '../../src/core.ts'
import { PageIds } from './page-ids.ts'
import { openPageShell } from './page-shell.ts'
import { nameOfFile, type Step } from './page-steps.ts'

export interface PageRun extends AsyncDisposable {
  /** Does what a step says, and compares what the page shows with what came of it. */
  follow(step: Step): Promise<void>
}

export interface PageRunOptions {
  /** As `createPageDirectory` made it. */
  readonly directory: string
  /** Where the page's server is, which the page has at 3000. */
  readonly port: number
  /** Of the shell. */
  readonly env?: Readonly<Record<string, string>>
}

/** The core that a page's code speaks of: in the directory, and with the variables, that its commands left. */
function writeCore(directory: string): string {
  const file = join(directory, 'core.ts')
  const variables = existsSync(join(directory, '.env')) ? readFileSync(join(directory, '.env'), 'utf8') : ''
  const env = {
    ...Object.fromEntries([...variables.matchAll(/^(\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value])),
    MACHINE_AUTH_DATABASE: `sqlite:${join(directory, 'machine-auth.db')}`,
  }
  const runtime = JSON.stringify({ env, cwd: directory })
  writeFileSync(
    file,
    `import { createMachineAuth } from 'elysia-machine-auth'
export const core = createMachineAuth({}, { ...${runtime}, warn() {} })\n`,
  )
  return file
}

export function startPageRun({ directory, port, env = {} }: PageRunOptions): PageRun {
  const shell = openPageShell(directory, { PORT: String(port), ...env })
  const ids = new PageIds()
  let core: AnyMachineAuth | undefined

  async function runCode({ text, line }: Step): Promise<void> {
    core ??= (await import(writeCore(directory))).core
    const file = join(directory, `line-${line}.ts`)
    writeFileSync(file, `import { core } from './core.ts'\n${ids.fill(text)}\nexport {}\n`)
    await import(file)
  }

  async function runCommands({ text, shown }: Step): Promise<void> {
    const toShown = (answer: string) => answer.replaceAll(`127.0.0.1:${port}`, '127.0.0.1:3000')
    const isAnswered = (answer: string) => shown === null || ids.matches(toShown(answer), shown)
    const commands = ids.fill(text).replaceAll('localhost:3000', `localhost:${port}`)
    // Only what goes on in the background answers later than it ends.
    const answer = await shell.run(commands, text.endsWith('&') ? isAnswered : undefined)
    ids.learn(answer.text)
    if (!isAnswered(answer.text)) expect(answer.text).toBe(shown ?? '')
    expect({ code: answer.code, text: answer.text }).toEqual({ code: 0, text: answer.text })
  }

  return {
    async follow(step) {
      if (step.kind === 'file') writeFileSync(join(directory, nameOfFile(step)), step.text)
      else if (step.kind === 'code') await runCode(step)
      else await runCommands(step)
    },
    async [Symbol.asyncDispose]() {
      await core?.close()
      await shell[Symbol.asyncDispose]()
    },
  }
}
