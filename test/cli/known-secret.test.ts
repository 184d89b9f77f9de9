import { afterEach, beforeEach, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

const NONE = { env: { MACHINE_AUTH_SECRET: undefined } }
const hasMade = () => existsSync(join(cli.path, '.machine-auth', 'secret'))

test('a database that is in use gets no made-up secret: nothing is changed, and what is missing is said', async () => {
  await must(cli, ['org', 'create', 'Acme'])
  const run = await cli.run(['org', 'create', 'Other'], NONE)
  expect([run.code, run.out, hasMade()]).toEqual([1, '', false])
  expect(run.err).toContain(`there is none in ${join(cli.path, '.machine-auth', 'secret')}`)
  expect(run.err).toContain('Set MACHINE_AUTH_SECRET')
  expect((await must(cli, ['org', 'list'])).items).toHaveLength(1)
})

test.each([
  ['a database that is not there yet', async () => undefined],
  ['an empty one', async () => void (await must(cli, ['migrate']))],
])('%s gets one, which is used from then on', async (_, prepare) => {
  await prepare()
  await must(cli, ['org', 'create', 'Acme'], NONE)
  expect(hasMade()).toBeTrue()
  expect((await must(cli, ['org', 'list'], NONE)).items).toHaveLength(1)
})
