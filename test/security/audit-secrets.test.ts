/** SECURITY.md: the audit log tells what was done, and no secret by which it was done. */
import { afterAll, expect, test } from 'bun:test'
import { textAt } from '../support/answers.ts'
import { addTokens, asMaster, createTestApp, MASTER_KEY, PASSWORD, PASSWORD_HASH, SECRET } from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)
const { core } = t
const OWN_PASSWORD = 'a password that nobody else has'
const NEW_PASSWORD = 'the password that came after it'

const secrets = new Map<string, string>([
  ['the root secret', SECRET],
  ['the master key', MASTER_KEY],
  ['a password', PASSWORD],
  ['a password given in clear', OWN_PASSWORD],
  ['a new password', NEW_PASSWORD],
  ['a password hash', PASSWORD_HASH],
])

/** Management acts of every kind that handles a secret, by code and over HTTP. */
async function actEverywhere(): Promise<void> {
  const { id: organizationId } = await core.organizations.create({ name: 'Acme' })
  const user = await core.users.create({ email: 'ann@example.com', password: OWN_PASSWORD, organizationId })
  await core.users.create({ email: 'ben@example.com', passwordHash: PASSWORD_HASH })
  await core.users.update(user.id, { password: NEW_PASSWORD })
  const made = await t.ask('/auth/keys', { headers: asMaster, body: { name: 'CI', organizationId } })
  const rawKey = textAt(made.json, 'rawKey')
  const { key } = await core.keys.create({ name: 'second', userId: user.id })
  const rotated = await core.keys.rotate(key.id)
  await core.keys.update(rotated.key.id, { name: 'renamed', metadata: { note: 'x' } })
  await core.keys.revoke(rotated.key.id, { reason: 'over' })
  const { token, rawToken } = await core.tokens.bearer.create({ name: 'x' })
  await core.tokens.bearer.revoke(token.id)
  const { pair } = await addTokens(t, user.id)
  const { session, cookieValue } = await core.sessions.create(user.id)
  await core.sessions.end(session.id)
  await core.signingKeys.rotate()
  await t.ask('/auth/login', { body: { email: 'ann@example.com', password: OWN_PASSWORD } })
  // A secret where an id belongs.
  await t.ask(`/auth/keys/${rawKey.slice(-49)}`, { headers: (await addTokens(t, user.id)).headers })
  for (const [name, value] of Object.entries({ rawKey, rotated: rotated.rawKey, rawToken, cookieValue })) {
    secrets.set(name, value)
  }
  for (const secret of [rawKey, rotated.rawKey]) secrets.set(`the secret of ${secret.slice(0, 12)}`, secret.slice(-49))
  secrets.set('an access token', pair.access_token).set('a refresh token', pair.refresh_token)
  for (const table of ['api_keys', 'bearer_tokens', 'sessions']) {
    const rows = t.client.query<{ hash: string }, []>(`select hash from machine_auth_${table}`).all()
    for (const [index, { hash }] of rows.entries()) secrets.set(`hash ${index} of ${table}`, hash)
  }
}

await actEverywhere()
const rows = t.client.query<Record<string, unknown>, []>('select * from machine_auth_audit').all()
const written = JSON.stringify(rows.map(({ mac, mac_key, ...told }) => told))

test('the acts above are in the log', () => {
  const actions = new Set(rows.map(({ action }) => action))
  for (const action of ['organization.created', 'user.created', 'user.updated', 'key.created', 'key.rotated']) {
    expect(actions).toContain(action)
  }
  for (const action of ['key.revoked', 'token.created', 'token.revoked', 'session.ended', 'signing_key.rotated']) {
    expect(actions).toContain(action)
  }
})

test.each([...secrets.keys()])('%s is not in the log', (name) => {
  const secret = secrets.get(name) ?? ''
  expect(secret.length).toBeGreaterThan(8)
  expect(written).not.toContain(secret)
})

test('nor is anything in the log that its details could not be answered with', async () => {
  for (const row of rows) expect(JSON.parse(String(row.details))).toBeObject()
  expect((await core.audit.verify()).ok).toBeTrue()
})
