import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import type { Actor, ImportedApiKey } from '../../src/index.ts'
import { MachineAuthError } from '../../src/index.ts'
import { expectInvalidAt, expectProblem, KEY_VIEW, membersOf, textAt } from '../support/answers.ts'
import { addForeignKey, createImportingApp, FOREIGN, FOREIGN_NAMES, kindOf } from '../support/foreign-keys.ts'
import { addKey, asMaster, createTestApp, START, withKey } from '../support/test-app.ts'

const t = await createImportingApp()
afterAll(t.close)

const wanted = (more: Partial<ImportedApiKey> = {}): ImportedApiKey => ({
  name: 'Billing',
  hash: FOREIGN.sha256().hash,
  hashKind: 'sha256',
  ...more,
})

const rowOf = (id: string) =>
  t.client.query<Record<string, unknown>, [string]>('select * from machine_auth_api_keys where id = ?').get(id)

const mistakesOf = async (doing: Promise<unknown>) => {
  const error = await doing.catch((reason: unknown) => reason)
  if (!(error instanceof MachineAuthError)) throw error
  return [error.code, ...(error.extras.errors ?? []).map(({ path }) => path)]
}

describe('importing', () => {
  test.each(FOREIGN_NAMES)('stores a hash of %s as it came, and shows nothing of it', async (name) => {
    const { key, hash } = await addForeignKey(t, name)
    expect(membersOf(key)).toEqual(KEY_VIEW)
    expect(JSON.stringify(key)).not.toContain(hash)
    expect(rowOf(key.id)).toMatchObject({ pepper: `import:${kindOf(name)}`, id: key.id })
    expect(key.id).toMatch(/^key_[0-9A-Za-z]{16}$/)
    const [event] = (await t.core.audit.list({ subject: key.id })).items
    expect(event).toMatchObject({ action: 'key.imported', details: { hashKind: kindOf(name) } })
    expect(JSON.stringify(event)).not.toContain(hash)
  })

  test('takes everything that a new key takes, its age and its visible part', async () => {
    const { id: organizationId } = await t.core.organizations.create({ name: 'Acme' })
    const createdAt = new Date(START - 86_400_000)
    const more = { organizationId, permissions: ['users.view'], environment: 'test', prefix: 'bk_9f8' } as const
    const key = await t.core.keys.import(wanted({ ...more, createdAt, monthlyQuota: 7, metadata: { plan: 'a' } }))
    const expected = { ...more, createdAt: createdAt.toISOString(), monthlyQuota: 7, metadata: { plan: 'a' } }
    expect(key).toMatchObject({ ...expected, status: 'active' })
    expect(await t.core.keys.find(key.id)).toEqual(key)
  })

  test('shows kind and id of a key without a visible part, and finds it by them', async () => {
    const key = await t.core.keys.import(wanted())
    expect(key.prefix).toBe(`sha256_${key.id.slice(4)}`)
    expect(await t.core.keys.findByPrefix(key.prefix)).toEqual([key])
  })

  const upper = FOREIGN.sha256()
  const CASES: readonly (readonly [string, Partial<ImportedApiKey>, ...string[]])[] = [
    ['an unknown kind', { hashKind: 'md5' }, 'hashKind'],
    ['no kind', { hashKind: undefined as unknown as string }, 'hashKind'],
    ['a hash of another kind', { hash: FOREIGN['django-pbkdf2']().hash }, 'hash'],
    ['a hash that is none', { hash: 5 as unknown as string }, 'hash'],
    ['a hash without end', { hash: 'a'.repeat(1025) }, 'hash'],
    [
      'a salted hash without the part it is found by',
      { ...FOREIGN['django-pbkdf2'](), prefix: undefined, hashKind: 'django-pbkdf2' },
      'hash',
    ],
    ['a visible part that is the key', { hash: upper.hash, prefix: upper.text }, 'prefix'],
    ['an invisible part', { prefix: 'a\nb' }, 'prefix'],
    ['a long part', { prefix: 'a'.repeat(65) }, 'prefix'],
    ['a key of the future', { createdAt: new Date(START + 1) }, 'createdAt'],
    ['an age that is none', { createdAt: 'yesterday' }, 'createdAt'],
    ['an expiry that has passed', { expiresAt: new Date(START - 1) }, 'expiresAt'],
    ['a permission that nothing declares', { permissions: ['moon.land'] }, 'permissions.0'],
    ['no name', { name: ' ' }, 'name'],
  ]
  test.each(CASES)('refuses %s', async (_, more, ...paths) => {
    const before = t.countRows()
    expect(await mistakesOf(t.core.keys.import(wanted(more)))).toEqual(['validation_failed', ...paths])
    expect(t.countRows()).toEqual(before)
  })

  test('refuses the same hash twice, whatever form it has, also at the same moment', async () => {
    const { hash } = FOREIGN.sha256()
    const forms = [hash, hash.toUpperCase(), Buffer.from(hash, 'hex').toString('base64url')]
    const all = forms.map((form) => t.core.keys.import(wanted({ hash: form })))
    const results = await Promise.all(
      all.map((one) =>
        one.then(
          () => ['imported'],
          (error) => mistakesOf(Promise.reject(error)),
        ),
      ),
    )
    expect(results.toSorted()).toEqual([['conflict', 'hash'], ['conflict', 'hash'], ['imported']])
    expect(await mistakesOf(t.core.keys.import(wanted({ hash })))).toEqual(['conflict', 'hash'])
  })

  test('refuses it after it was used and revoked, when its own hash is gone', async () => {
    const { id, hash, headers } = await addForeignKey(t, 'sha256')
    expect((await t.ask('/key', { headers })).said).toBe('200')
    await t.core.keys.revoke(id)
    expect(await mistakesOf(t.core.keys.import(wanted({ hash })))).toEqual(['conflict', 'hash'])
    expect((await t.ask('/key', { headers })).said).toBe('401 api_key_revoked')
  })

  test('without kinds nothing can be imported, and the refusal says what to do', async () => {
    await using app = await createTestApp()
    expect(await mistakesOf(app.core.keys.import(wanted()))).toEqual(['validation_failed', 'hashKind'])
    await expect(app.core.keys.import(wanted())).rejects.toThrow('apiKeys.importKinds')
  })
})

describe('who may import', () => {
  const actor = (organizationId: string | null, ...names: string[]): Actor => ({
    ...{ id: 'user_1', organizationId, user: { id: 'user_1' } },
    granted: new PermissionSet(names),
  })
  test.each([
    ['the platform', actor(null, '*'), 'imported'],
    ['an organization', actor('org_1', '*'), 'permission_required'],
    ['somebody without platform reach', actor(null, 'machine_auth.*', 'users.view'), 'permission_required'],
    ['the platform, but not what it has not', actor(null, 'platform.admin'), 'permission_required'],
  ])('%s', async (_, who, expected) => {
    const importing = t.core.keys.import(wanted({ permissions: ['users.view'] }), who)
    const said = await importing.then(
      () => 'imported',
      (error: MachineAuthError) => error.code,
    )
    expect(said).toBe(expected)
  })

  test('a limited key imports nothing that is less limited', async () => {
    const { headers } = await addKey(t, { permissions: ['*'], environment: 'test' })
    const body = { ...wanted(), environment: 'live' }
    expectProblem(await t.ask('/auth/keys/import', { headers, body }), 'permission_required')
  })
})

describe('what an organization allows', () => {
  test('binds imported keys: permissions, and a life that began elsewhere', async () => {
    const bounds = { maxPermissions: ['posts.view'], maxKeyLifetime: '30d' }
    const { id: organizationId } = await t.core.organizations.create({ name: 'Bound', ...bounds })
    const day = 86_400_000
    const importing = (more: Partial<ImportedApiKey>) => t.core.keys.import(wanted({ organizationId, ...more }))
    expect(await mistakesOf(importing({ permissions: ['users.view'] }))).toEqual(['permission_required'])
    const { expiresAt } = await importing({ createdAt: new Date(START - 10 * day) })
    expect(expiresAt).toBe(new Date(START + 20 * day).toISOString())
    expect(await mistakesOf(importing({ createdAt: new Date(START - 31 * day) }))).toEqual([
      'validation_failed',
      'createdAt',
    ])
  })
})

describe('POST /keys/import', () => {
  const post = (body: unknown, headers: Readonly<Record<string, string>> = asMaster) =>
    t.ask('/auth/keys/import', { body, headers })

  test('answers the key, which works at once', async () => {
    const { text, hash } = FOREIGN.sha256()
    const answer = await post({ name: 'Billing', hash, hashKind: 'sha256', prefix: text.slice(0, 6) })
    expect([answer.status, membersOf(answer.json)]).toEqual([201, KEY_VIEW])
    expect(textAt(answer.json, 'prefix')).toBe(text.slice(0, 6))
    expect((await t.ask('/key', { headers: withKey(text) })).json).toEqual({ id: textAt(answer.json, 'id') })
  })

  test('refuses the same hash twice', async () => {
    const body = wanted()
    await post(body)
    expectProblem(await post(body), 'conflict', ['errors'])
  })

  test('answers the same once more to the same Idempotency-Key', async () => {
    const [body, headers] = [wanted(), { ...asMaster, 'idempotency-key': crypto.randomUUID() }]
    const [first, again] = [await post(body, headers), await post(body, headers)]
    expect([first.status, again.json]).toEqual([201, first.json])
  })

  test.each([
    ['id', 'key_AAAAAAAAAAAAAAAA'],
    ['pepper', 'x'],
    ['lookup', 'x'],
    ['enabled', false],
    ['createdBy', 'user_1'],
    ['revokedAt', null],
  ])('refuses the member %s', async (member, value) => {
    expectInvalidAt(await post({ ...wanted(), [member]: value }), member)
  })

  test('takes no lesser credential', async () => {
    const { headers } = await addKey(t, { permissions: ['machine_auth.keys.create'] })
    expectProblem(await post(wanted(), headers), 'permission_required', ['required'])
    expectProblem(await post(wanted(), {}), 'credential_missing')
  })
})

test('every built-in kind is on its page', () => {
  const page = readFileSync(new URL('../../docs/importing.md', import.meta.url), 'utf8')
  for (const name of FOREIGN_NAMES) expect(page).toContain(`\`${kindOf(name)}\``)
})
