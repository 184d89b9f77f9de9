import { describe, expect, test } from 'bun:test'
import type { KeyVerificationInput } from '../../src/keys/verification.ts'
import { actorWith, createServices, START } from '../support/services.ts'

async function withKey(input: Parameters<ReturnType<typeof createServices>['keys']['create']>[0] = { name: 'x' }) {
  const services = createServices()
  const { key, rawKey } = await services.keys.create(input)
  return { services, keys: services.keys, key, rawKey }
}

describe('a valid key', () => {
  test('says so, and what it is', async () => {
    const { keys, key, rawKey } = await withKey({ name: 'x', permissions: ['users.*'], environment: 'test' })
    const wanted = { permissions: ['users.view', 'users:update'], environment: 'test', ip: 'not an address' } as const
    expect(await keys.verify({ key: rawKey, ...wanted })).toEqual({ valid: true, code: 'valid', key })
  })

  const cases: { name: string; wanted: Omit<KeyVerificationInput, 'key'>; code: string }[] = [
    { name: 'of the other environment', wanted: { environment: 'test' }, code: 'environment_mismatch' },
    { name: 'without the permission', wanted: { permissions: ['posts.view'] }, code: 'permission_required' },
    {
      name: 'without one of the permissions',
      wanted: { permissions: ['users.view', 'posts.view'], ip: '10.1.1.1' },
      code: 'permission_required',
    },
    { name: 'from the wrong address', wanted: { ip: '11.0.0.1' }, code: 'ip_not_allowed' },
    { name: 'from nowhere', wanted: { ip: undefined }, code: 'ip_not_allowed' },
    { name: 'from something that is no address', wanted: { ip: '010.0.0.1' }, code: 'ip_not_allowed' },
    { name: 'from the first address of the range', wanted: { ip: '10.0.0.0' }, code: 'valid' },
    { name: 'from the last address of the range', wanted: { ip: '::ffff:10.255.255.255' }, code: 'valid' },
  ]
  test.each(cases)('$name: $code', async ({ wanted, code }) => {
    const { keys, key, rawKey } = await withKey({ name: 'x', permissions: ['users.*'], ipAllowlist: ['10.0.0.0/8'] })
    const verification = await keys.verify({ key: rawKey, ip: '10.1.1.1', ...wanted })
    expect(verification).toEqual({ valid: code === 'valid', code: code as 'valid', key })
  })

  test('of a user never has more than he', async () => {
    const services = createServices()
    const user = await services.users.create({ email: 'a@example.com', roles: ['support'] })
    const { rawKey } = await services.keys.create({ name: 'x', userId: user.id, permissions: ['*'] })
    expect((await services.keys.verify({ key: rawKey, permissions: ['users.view'] })).code).toBe('valid')
    expect((await services.keys.verify({ key: rawKey, permissions: ['posts.view'] })).code).toBe('permission_required')
  })
})

describe('a key that is none', () => {
  test('answers the same, whatever is wrong, and shows no key', async () => {
    const { keys, rawKey, services } = await withKey()
    const other = await services.keys.create({ name: 'y' })
    const stored = services.memory.rows.keys.get(other.key.id)?.hash ?? ''
    const wrongSecret = `${rawKey.slice(0, 26)}${other.rawKey.slice(26)}`
    for (const text of ['', 'x', wrongSecret, rawKey.slice(0, -1), `${rawKey} `, stored, 'x'.repeat(1_000_000), '🔑']) {
      expect(await keys.verify({ key: text })).toEqual({ valid: false, code: 'api_key_invalid' })
    }
  })

  test.each([
    { name: 'expired', code: 'api_key_expired', status: 'expired' },
    { name: 'revoked', code: 'api_key_revoked', status: 'revoked' },
    { name: 'of a suspended organization', code: 'organization_suspended', status: 'active' },
    { name: 'of a disabled user', code: 'user_disabled', status: 'active' },
  ] as const)('any more ($name) is shown to who has its secret', async ({ code, status }) => {
    const services = createServices()
    const { id } = await services.organizations.create({ name: 'Acme' })
    const user = await services.users.create({ email: 'a@acme.example', organizationId: id })
    const expiresAt = new Date(START + 1000)
    const { key, rawKey } = await services.keys.create({ name: 'x', userId: user.id, expiresAt })
    if (code === 'api_key_expired') services.time.now = START + 1000
    if (code === 'api_key_revoked') await services.keys.revoke(key.id)
    if (code === 'organization_suspended') await services.organizations.suspend(id)
    if (code === 'user_disabled') await services.users.disable(user.id)
    const verification = await services.keys.verify({ key: rawKey })
    expect(verification).toMatchObject({ valid: false, code, key: { id: key.id, status } })
  })

  test('storage that does not answer is a no', async () => {
    const { services, rawKey } = await withKey()
    services.memory.before.set('keys.findWithOwner', () => {
      throw new Error('down')
    })
    expect(await services.keys.verify({ key: rawKey })).toEqual({ valid: false, code: 'storage_unavailable' })
  })
})

describe('who asks', () => {
  test("an organization learns nothing of another's key, valid or not", async () => {
    const services = createServices()
    const acme = (await services.organizations.create({ name: 'Acme' })).id
    const other = (await services.organizations.create({ name: 'Other' })).id
    const { rawKey, key } = await services.keys.create({ name: 'x', organizationId: acme })
    const [own, foreign] = [acme, other].map((organizationId) => actorWith(['machine_auth.*'], { organizationId }))
    expect((await services.keys.verify({ key: rawKey }, own)).code).toBe('valid')
    expect(await services.keys.verify({ key: rawKey }, foreign)).toEqual({ valid: false, code: 'api_key_invalid' })
    await services.keys.revoke(key.id)
    expect((await services.keys.verify({ key: rawKey }, own)).code).toBe('api_key_revoked')
    expect(await services.keys.verify({ key: rawKey }, foreign)).toEqual({ valid: false, code: 'api_key_invalid' })
  })

  test.each([
    { name: 'undeclared', wanted: ['users.view', 'users.fly'] },
    { name: 'malformed', wanted: ['X Y'] },
    { name: 'no text', wanted: [1 as unknown as string] },
    { name: 'more than anybody asks for', wanted: Array<string>(201).fill('users.view') },
  ])('permissions that are $name are no mistake: no key has them, not even one of *', async ({ wanted }) => {
    const { keys, key, rawKey } = await withKey({ name: 'x', permissions: ['*'] })
    expect((await keys.verify({ key: rawKey, permissions: ['users.view'] })).code).toBe('valid')
    const refused = { valid: false, code: 'permission_required', key } as const
    expect(await keys.verify({ key: rawKey, permissions: wanted })).toEqual(refused)
    expect(await keys.verify({ key: 'x', permissions: wanted })).toEqual({ valid: false, code: 'api_key_invalid' })
    await keys.revoke(key.id)
    expect((await keys.verify({ key: rawKey, permissions: wanted })).code).toBe('api_key_revoked')
  })
})
