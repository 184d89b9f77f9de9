/** SECURITY.md, P31, P34, P102: what another process takes away is refused here within a second, without Redis. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { inDirectory } from '../storage/support.ts'
import { addKey, addSession, addTokens, createTestApp, SECRET, type TestApp, withBearer } from '../support/test-app.ts'

/** ms; CONTRACT promises it. */
const PROMISED = 1000

type Headers = Readonly<Record<string, string>>

/** One of each that can be taken away: what another process is to do, and how it shows here. */
async function prepare(app: TestApp) {
  const user = (name: string, more: object = {}) => app.core.users.create({ email: `${name}@example.com`, ...more })
  const { id: organizationId } = await app.core.organizations.create({ name: 'Acme' })
  await app.core.roles.put('viewer', { permissions: ['users.view'] })
  const [owner, leaving, viewer] = [
    await user('owner'),
    await user('leaving'),
    await user('viewer', { roles: ['viewer'] }),
  ]
  const [key, ofOrganization, ofLeaving] = [
    await addKey(app),
    await addKey(app, { organizationId }),
    await addKey(app, { userId: leaving.id }),
  ]
  const opaque = await app.core.tokens.bearer.create({ name: 'x' })
  const session = await addSession(app, leaving.id)
  const ending = await addSession(app, viewer.id)
  const rows: readonly (readonly [string, string, string, Headers, string])[] = [
    ['revoke key', key.id, '/key', key.headers, '401 api_key_revoked'],
    ['revoke token', opaque.token.id, '/token', withBearer(opaque.rawToken), '401 token_revoked'],
    ['revoke families', owner.id, '/token', (await addTokens(app, owner.id)).headers, '401 token_revoked'],
    ['end session', ending.id, '/session', ending.headers, '401 session_invalid'],
    ['disable user', leaving.id, '/session', session.headers, '401 session_invalid'],
    ['disable user', leaving.id, '/key', ofLeaving.headers, '403 user_disabled'],
    ['suspend organization', organizationId, '/key', ofOrganization.headers, '403 organization_suspended'],
    ['take permissions', 'viewer', '/users', (await addTokens(app, viewer.id)).headers, '403 permission_required'],
  ]
  const ask = () => Promise.all(rows.map(async ([, , path, headers]) => (await app.ask(path, { headers })).said))
  return { calls: rows.map(([verb, id]) => [verb, id]), expected: rows.map((row) => row[4]), ask }
}

/** Asks until all answers are as wanted; answers the ms it took, and at last what was said. */
async function waitFor(ask: () => Promise<readonly string[]>, expected: readonly string[]) {
  const start = performance.now()
  let said = await ask()
  while (said.join() !== expected.join() && performance.now() - start < 3 * PROMISED) said = await ask()
  return { said, took: performance.now() - start }
}

test('P102 whatever another process takes away on the same SQLite file', async () => {
  await inDirectory(async (directory) => {
    const database = `sqlite:${join(directory, 'shared.db')}`
    await using app = await createTestApp({ database })
    const { calls, expected, ask } = await prepare(app)
    // All of it is remembered here.
    expect(new Set(await ask())).toEqual(new Set(['200']))
    const script = join(import.meta.dir, 'take-away.ts')
    const other = Bun.spawn([process.execPath, script, database, SECRET, JSON.stringify(calls)], { stderr: 'pipe' })
    const [output, mistakes] = await Promise.all([new Response(other.stdout).text(), new Response(other.stderr).text()])
    expect([output, mistakes, await other.exited]).toEqual(['done\n', '', 0])
    const { said, took } = await waitFor(ask, expected)
    expect(said).toEqual([...expected])
    expect(took).toBeLessThan(PROMISED)
  })
})

test('P31 what one app revokes, another one on the same file refuses, and what it makes, it takes', async () => {
  await inDirectory(async (directory) => {
    const database = `sqlite:${join(directory, 'shared.db')}`
    await using here = await createTestApp({ database })
    await using there = await createTestApp({ database })
    const key = await addKey(here)
    const ask = async () => [(await there.ask('/key', { headers: key.headers })).said]
    expect(await ask()).toEqual(['200'])
    await here.core.keys.revoke(key.id)
    expect((await here.ask('/key', { headers: key.headers })).said).toBe('401 api_key_revoked')
    const { said, took } = await waitFor(ask, ['401 api_key_revoked'])
    expect(said).toEqual(['401 api_key_revoked'])
    expect(took).toBeLessThan(PROMISED)
  })
})
