/** `machine-auth session`. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { audited, type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

/** Two users with two sessions each; answers the ids of the first's. */
async function addSessions(): Promise<readonly string[]> {
  return cli.look(async (core) => {
    const made: string[] = []
    for (const email of ['alice@example.com', 'bob@example.com']) {
      const { id } = await core.users.create({ email })
      for (const userAgent of ['Firefox', 'curl']) made.push((await core.sessions.create(id, { userAgent })).session.id)
    }
    return made.slice(0, 2)
  })
}

const left = (email: string) =>
  cli.look(async (core) => {
    const user = await core.users.findByEmail(email)
    return (await core.sessions.list(user?.id ?? '')).map(({ id }) => id)
  })

test('lists a user’s, ends one, ends all; those of others stay', async () => {
  const [first = '', second = ''] = await addSessions()
  const { items } = await must(cli, ['session', 'list', 'alice@example.com'])
  expect(items.map(({ id }: { id: string }) => id).toSorted()).toEqual([first, second].toSorted())
  const { out } = await cli.run(['session', 'list', 'alice@example.com'])
  expect(out).toContain('Firefox')

  expect(await must(cli, ['session', 'end', first, '--yes'])).toEqual({ id: first })
  expect(await left('alice@example.com')).toEqual([second])
  expect(await must(cli, ['session', 'end-all', 'alice@example.com', '--yes'])).toEqual({ count: 1 })
  expect(await left('alice@example.com')).toEqual([])
  expect(await left('bob@example.com')).toHaveLength(2)
  const acts = await audited(cli)
  expect(acts).toContain('cli session.ended')
  expect(acts).toContain('cli user.sessions_ended')
})

test.each([
  ['a session that is not there', ['session', 'end', 'sess_0000000000000000', '--yes'], 1],
  ['a user who is not there', ['session', 'list', 'nobody@example.com'], 1],
  ['a user who is not there, all of his', ['session', 'end-all', 'nobody@example.com', '--yes'], 1],
  ['an end that nobody confirms', ['session', 'end', 'sess_0000000000000000'], 2],
  ['no user', ['session', 'list'], 2],
] as const)('refuses %s', async (_, args, code) => {
  await addSessions()
  const run = await cli.run(args)
  expect(run.code).toBe(code)
  expect(run.err).not.toBe('')
  expect(await left('alice@example.com')).toHaveLength(2)
})
