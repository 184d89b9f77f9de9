/** SECURITY.md, P26: no raw secret in the database, its journal, the console, or an error. */
import { Database } from 'bun:sqlite'
import { afterAll, expect, spyOn, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { textAt } from '../support/answers.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import {
  ALICE,
  type Answer,
  addPeople,
  addTokens,
  asMaster,
  createTestApp,
  MASTER_KEY,
  PASSWORD,
  SECRET,
  withBearer,
  withCookie,
  withKey,
} from '../support/test-app.ts'

const directory = createDatabaseDirectory('machine-auth-rest')
const file = join(directory, 'rest.db')
afterAll(() => removeDirectory(directory))

/** Everything the console says while something runs. */
async function withConsole<T>(run: () => Promise<T>): Promise<{ result: T; said: string }> {
  const lines: string[] = []
  const spies = (['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((name) =>
    spyOn(console, name).mockImplementation((...parts: unknown[]) => void lines.push(Bun.inspect(parts))),
  )
  try {
    return { result: await run(), said: lines.join('\n') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** Uses the app as people do, and answers every secret it gave out, with every body that was no place for one. */
async function useEverything() {
  await using app = await createTestApp({ database: `sqlite:${file}` }, (routes) =>
    routes.get('/throws', ({ request }) => {
      throw new Error(`of ${request.method}`)
    }),
  )
  await addPeople(app)
  await app.core.users.create({ email: 'made@example.com', password: 'a password to be hashed' })
  const secrets = [SECRET, MASTER_KEY, PASSWORD, 'a password to be hashed']
  const bodies: Answer[] = []
  const login = { email: ALICE, password: PASSWORD }
  for (let round = 0; round < 18; round += 1) {
    const { rawKey } = await app.core.keys.create({ name: 'x' })
    const { rawToken } = await app.core.tokens.bearer.create({ name: 'x' })
    const { cookieValue } = await app.core.sessions.create('user_bob')
    const { pair } = await addTokens(app, 'user_bob')
    secrets.push(rawKey, rawToken, cookieValue, pair.access_token, pair.refresh_token)
  }
  for (let round = 0; round < 2; round += 1) {
    const key = textAt((await app.ask('/auth/keys', { headers: asMaster, body: { name: 'x' } })).json, 'rawKey')
    const pair = (await app.ask('/auth/login', { body: login })).json
    const renewed = (await app.ask('/auth/refresh', { body: { refresh_token: pair.refresh_token } })).json
    const client = (await app.ask('/auth/token/new', { method: 'POST', headers: asMaster })).json
    const opened = await app.ask('/auth/sessions', { body: login })
    const cookie = /=([^;]+)/.exec(opened.headers.get('set-cookie') ?? '')?.[1] ?? ''
    const { rawToken } = await app.core.tokens.bearer.create({ name: 'x', userId: 'user_alice' })
    const access = textAt(renewed, 'access_token')
    secrets.push(key, access, cookie, rawToken)
    for (const each of [pair, renewed, client])
      secrets.push(textAt(each, 'refresh_token'), textAt(each, 'access_token'))
    const presented = [withKey(key), withBearer(access), withBearer(rawToken), withCookie(cookie), asMaster]
    for (const headers of presented) {
      for (const path of [
        '/key',
        '/token',
        '/session',
        '/user',
        '/auth/me',
        '/auth/keys',
        '/auth/sessions',
        '/throws',
        '/nowhere',
      ]) {
        bodies.push(await app.ask(path, { headers }))
      }
    }
    for (const wrong of [key, access, rawToken, cookie]) {
      bodies.push(await app.ask('/auth/refresh', { body: { refresh_token: wrong } }))
      bodies.push(await app.ask('/auth/keys/verify', { headers: asMaster, body: { key: wrong } }))
      bodies.push(await app.ask('/auth/login', { body: { email: wrong, password: wrong } }))
      bodies.push(await app.ask('/auth/keys', { headers: asMaster, body: { name: [wrong], environment: wrong } }))
      bodies.push(await app.ask(`/nowhere?access_token=${wrong}`))
      bodies.push(await app.ask(`/auth/keys/${encodeURIComponent(wrong)}`, { headers: asMaster }))
    }
    await app.ask('/auth/logout', { body: { refresh_token: client.refresh_token } })
  }
  const disk = readdirSync(directory).map((name) => readFileSync(join(directory, name)).toString('latin1'))
  return { secrets: [...new Set(secrets)], bodies, disk, names: readdirSync(directory), warnings: app.warnings }
}

test('P26 raw secrets are nowhere but with their owners', async () => {
  const { result, said } = await withConsole(useEverything)
  const { secrets, bodies, disk, names, warnings } = result
  expect(secrets.length).toBeGreaterThan(100)
  // The journal is looked at while it is full.
  expect(names.toSorted()).toEqual(['rest.db', 'rest.db-shm', 'rest.db-wal'])
  const places = {
    disk: disk.join(),
    console: said,
    warnings: warnings.join(),
    bodies: bodies.map(({ text }) => text).join(),
  }
  // What is looked for can be found: ids and e-mails are there.
  expect(places.disk).toContain(ALICE)
  expect(places.bodies).toContain('user_alice')
  expect(places.console).toContain('of GET')
  for (const [place, text] of Object.entries(places)) {
    const found = secrets.filter((secret) => text.includes(secret))
    expect([place, found]).toEqual([place, []])
  }
  // Nor the secret part alone of what has one.
  const parts = secrets.flatMap((secret) => secret.match(/[0-9A-Za-z]{43}(?=[0-9A-Za-z]{6}$)|[\w-]{43}$/g) ?? [])
  expect(parts.length).toBeGreaterThan(60)
  for (const part of parts) expect(places.disk.includes(part)).toBe(false)
  // Nor in another spelling.
  for (const secret of secrets.slice(0, 30)) {
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      expect(places.disk.includes(Buffer.from(secret).toString(encoding).slice(0, 40))).toBe(false)
    }
  }
})

test('P26 private signing keys are sealed', async () => {
  using client = new Database(file, { readonly: true })
  const rows = client.query<Record<string, string>, []>('select * from machine_auth_signing_keys').all()
  expect(rows.length).toBeGreaterThan(0)
  for (const { public_jwk = '', encrypted_private_jwk = '' } of rows) {
    expect(Object.keys(JSON.parse(public_jwk))).not.toContain('d')
    expect(() => JSON.parse(Buffer.from(encrypted_private_jwk, 'base64url').toString())).toThrow()
  }
})
