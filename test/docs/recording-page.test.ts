/** The commands by which README and docs/recording.md show what is recorded, against the server that README starts. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Example, ROOT, START_TIMEOUT, startExample } from '../examples/support.ts'
import { type PageRun, startPageRun } from './page-run.ts'
import { createPageDirectory } from './page-shell.ts'
import { readSteps, type Step } from './page-steps.ts'

const PAGE = join(ROOT, 'docs/recording.md')
const STEPS = [
  ...['## Try it', '## Health'].flatMap((heading) => readSteps(PAGE, heading)),
  ...readSteps(join(ROOT, 'README.md'), '## Watch'),
]

let example: Example
let page: PageRun
beforeAll(async () => {
  const directory = createPageDirectory()
  const env = {
    MACHINE_AUTH_SECRET: 'q7Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ5a',
    MACHINE_AUTH_MASTER_KEY: 'oQb2v9ZrT4nLx7KdPw1MsYc8HjUe5GaF',
    MACHINE_AUTH_LOGGING: 'metadata_only',
  }
  example = await startExample('examples/quickstart.ts', { directory, env })
  page = startPageRun({ directory, port: example.port, env })
}, START_TIMEOUT)
afterAll(async () => {
  await example.kill()
  await page[Symbol.asyncDispose]()
})

const titled = (step: Step) => [`line ${step.line}: ${step.text.split('\n')[0]}`, step] as const

// Each after those before it, as one reads.
test.each(STEPS.map(titled))('%s', (_, step) => page.follow(step), START_TIMEOUT)

test('both show an answer to each command', () => {
  expect(STEPS.length).toBeGreaterThan(8)
  expect(STEPS.filter(({ shown }) => shown === null)).toEqual([])
})
