/** The commands and code by which README makes the first user and shows managing, against the server that it starts with. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Example, ROOT, START_TIMEOUT, startExample } from '../examples/support.ts'
import { type PageRun, startPageRun } from './page-run.ts'
import { createPageDirectory } from './page-shell.ts'
import { readSteps, type Step } from './page-steps.ts'

const MASTER_KEY = 'oQb2v9ZrT4nLx7KdPw1MsYc8HjUe5GaF'
const README = join(ROOT, 'README.md')

/** The script is another way to the same user, and has a test of its own. */
const isScript = ({ text }: Step) => text.startsWith('import ')
const STEPS = ['## The first user', '## Manage'].flatMap((heading) => readSteps(README, heading))

let example: Example
let page: PageRun
beforeAll(async () => {
  const directory = createPageDirectory()
  const env = { MACHINE_AUTH_MASTER_KEY: MASTER_KEY }
  example = await startExample('examples/quickstart.ts', { directory, env })
  page = startPageRun({
    directory,
    port: example.port,
    env: { ...env, MACHINE_AUTH_PASSWORD: 'correct horse battery staple' },
  })
}, START_TIMEOUT)
afterAll(async () => {
  await example.kill()
  await page[Symbol.asyncDispose]()
})

const titled = (step: Step) => [`line ${step.line}: ${step.text.split('\n')[0]}`, step] as const

// Each after those before it, as one reads.
test.each(STEPS.filter((step) => !isScript(step)).map(titled))('%s', (_, step) => page.follow(step), START_TIMEOUT)

test('README shows each way', () => {
  const shows = (kind: Step['kind'], part: string) =>
    STEPS.some((step) => step.kind === kind && step.text.includes(part))
  expect(shows('commands', 'bunx machine-auth user create')).toBe(true)
  expect(shows('commands', 'bunx machine-auth key create')).toBe(true)
  expect(shows('commands', "curl -s 'localhost:3000/auth/keys")).toBe(true)
  expect(shows('code', 'core.organizations.')).toBe(true)
})
