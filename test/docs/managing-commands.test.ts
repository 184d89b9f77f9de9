/** Follows docs/managing.md from its first line to its last: every command, file and line of code, against a real server. */
import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { findFreePort, ROOT, START_TIMEOUT } from '../examples/support.ts'
import { startPageRun } from './page-run.ts'
import { createPageDirectory } from './page-shell.ts'
import { readSteps, type Step } from './page-steps.ts'

const STEPS = readSteps(join(ROOT, 'docs/managing.md'))

const page = startPageRun({
  directory: createPageDirectory(),
  port: await findFreePort(),
  // Where a person would type it.
  env: { MACHINE_AUTH_PASSWORD: 'correct horse battery staple' },
})
afterAll(() => page[Symbol.asyncDispose]())

const titled = (step: Step) => [`line ${step.line}: ${step.text.split('\n')[0]}`, step] as const

// Each after those before it, as one reads.
test.each(STEPS.map(titled))('%s', (_, step) => page.follow(step), START_TIMEOUT)

test('the page shows each way more than a few times, and an answer to every command that has one', () => {
  const commands = STEPS.filter(({ kind }) => kind === 'commands')
  const count = (start: string) => commands.filter(({ text }) => text.includes(start)).length
  expect(count('curl ')).toBeGreaterThan(15)
  expect(count('machine-auth ')).toBeGreaterThan(15)
  expect(STEPS.filter(({ kind }) => kind === 'code').length).toBeGreaterThan(5)
  expect(commands.filter(({ shown }) => shown === null).map(({ text }) => text)).toEqual(['export ALICE=eyJ…'])
})
