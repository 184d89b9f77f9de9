/** Follows docs/managing.md from its first line to its last: every command, file and line of code, against a real server. */
import { afterAll, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyMachineAuth } from '../../src/core.ts'
import { findFreePort, ROOT, START_TIMEOUT } from '../examples/support.ts'
import { PageIds } from './page-ids.ts'
import { createPageDirectory, openPageShell } from './page-shell.ts'
import { nameOfFile, readSteps, type Step } from './page-steps.ts'

const STEPS = readSteps(join(ROOT, 'docs/managing.md'))

const port = await findFreePort()
const directory = createPageDirectory()
const shell = openPageShell(directory, { PORT: String(port), MACHINE_AUTH_PASSWORD: 'correct horse battery staple' })
const ids = new PageIds()
let core: AnyMachineAuth | undefined

afterAll(async () => {
  await core?.close()
  await shell[Symbol.asyncDispose]()
})

/** The core that the page's code speaks of: on the database and under the secret that its commands made. */
function writeCore(): void {
  const secret = /MACHINE_AUTH_SECRET=(\S+)/.exec(readFileSync(join(directory, '.env'), 'utf8'))?.[1] ?? ''
  const env = { MACHINE_AUTH_SECRET: secret, MACHINE_AUTH_DATABASE: `sqlite:${join(directory, 'machine-auth.db')}` }
  writeFileSync(
    join(directory, 'core.ts'),
    `import { createMachineAuth } from 'elysia-machine-auth'
export const core = createMachineAuth({}, ${JSON.stringify({ env, cwd: directory })})\n`,
  )
}

async function runCode({ text, line }: Step): Promise<void> {
  if (core === undefined) {
    writeCore()
    core = (await import(join(directory, 'core.ts'))).core
  }
  const file = join(directory, `line-${line}.ts`)
  writeFileSync(file, `import { core } from './core.ts'\n${ids.fill(text)}\nexport {}\n`)
  await import(file)
}

async function runCommands({ text, shown }: Step): Promise<void> {
  const isAnswered = (answer: string) => shown === null || ids.matches(answer, shown)
  const toReal = (page: string) => page.replaceAll('localhost:3000', `localhost:${port}`)
  const toShown = (answer: string) => answer.replaceAll(`127.0.0.1:${port}`, '127.0.0.1:3000')
  // Only what goes on in the background answers later than it ends.
  const isBackground = text.endsWith('&')
  const filled = toReal(ids.fill(text))
  const answer = await shell.run(filled, isBackground ? (printed) => isAnswered(toShown(printed)) : undefined)
  ids.learn(answer.text)
  if (!isAnswered(toShown(answer.text))) expect(answer.text).toBe(shown ?? '')
  expect(answer.code).toBe(0)
}

test.each(STEPS.map((step) => [`line ${step.line}: ${step.text.split('\n')[0]}`, step] as const))(
  '%s',
  async (_, step) => {
    if (step.kind === 'file') writeFileSync(join(directory, nameOfFile(step)), step.text)
    else if (step.kind === 'code') await runCode(step)
    else await runCommands(step)
  },
  START_TIMEOUT,
)

test('the page shows each way more than a few times, with an answer to nearly every command', () => {
  const commands = STEPS.filter(({ kind }) => kind === 'commands')
  const by = (start: string) => commands.filter(({ text }) => text.includes(start)).length
  expect(by('curl ')).toBeGreaterThan(15)
  expect(by('machine-auth ')).toBeGreaterThan(15)
  expect(STEPS.filter(({ kind }) => kind === 'code').length).toBeGreaterThan(5)
  expect(commands.filter(({ shown }) => shown === null).map(({ text }) => text.split('=')[0])).toEqual([
    'export ALICE',
  ])
})
