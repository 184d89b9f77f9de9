import { describe, expect, test } from 'bun:test'
import { createKeyUse } from '../../src/guards/key-use.ts'
import type { KeyVerification, KeyVerificationInput } from '../../src/keys/verification.ts'
import { createAddressMatcher } from '../../src/lib/ip.ts'
import { AbuseGuard } from '../../src/limits/abuse.ts'
import { BlockIndex } from '../../src/limits/block-index.ts'
import { KeyAllowances } from '../../src/limits/key-allowance.ts'
import { QuotaLedger } from '../../src/limits/quota-ledger.ts'
import type { BlockRecord } from '../../src/storage/records.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { actorWith, createServices, type Services, START } from '../support/services.ts'

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

/** Services whose keys have limits, and blocks, as the core's do. */
function withLimits() {
  const clock = () => services.time.now
  const storage = createMemoryStorage(clock)
  const index = new BlockIndex(createAddressMatcher(['198.51.100.7']))
  const blocked: string[] = []
  const abuse = new AbuseGuard({
    threshold: 3,
    window: 3_600_000,
    capacity: 100,
    isExempt: (address) => index.exempts(address),
    block(subject) {
      blocked.push(subject)
      putBlock(subject)
    },
  })
  const allowances = new KeyAllowances({
    maxSubjects: 100,
    ledger: new QuotaLedger(),
    keys: storage.keys,
    quotas: storage.quotas,
    defaultRate: false,
    strategy: 'sliding-window',
    meter: null,
  })
  const services: Services = createServices({
    storage,
    use: createKeyUse({ blocks: index, abuse, allowances, clock, shared: null, meter: null }),
  })
  function putBlock(subject: string, more: Partial<BlockRecord> = {}): void {
    const place = { scope: 'global', path: '', kind: 'manual', reason: null } as const
    const times = { createdBy: 'system', createdAt: clock(), expiresAt: clock() + 3_600_000 }
    index.put({ id: `blk_${index.size}`, subject, ...place, ...times, ...more })
  }
  async function consume(key: string, times: number) {
    const verifications: KeyVerification[] = []
    for (let count = 0; count < times; count++) verifications.push(await services.keys.verify({ key, consume: true }))
    return verifications.map(({ code, remaining }) => `${code} ${remaining}`)
  }
  return { services, storage, keys: services.keys, putBlock, blocked, consume }
}

describe('consuming a use', () => {
  test('counts for the rate, and says what is left', async () => {
    const { keys, services, consume } = withLimits()
    const { key, rawKey } = await keys.create({ name: 'x', rateLimit: { limit: 2, window: '1m' } })
    expect(await keys.verify({ key: rawKey, consume: true })).toEqual({ valid: true, code: 'valid', key, remaining: 1 })
    expect(await consume(rawKey, 2)).toEqual(['valid 0', 'rate_limited 0'])
    expect(await keys.verify({ key: rawKey, consume: true })).toMatchObject({ valid: false, key: { id: key.id } })
    services.time.now += 60_000
    expect(await consume(rawKey, 1)).toEqual(['valid 1'])
  })

  test('counts for the quota, to the last use among racing callers', async () => {
    const { keys, storage } = withLimits()
    const { key, rawKey } = await keys.create({ name: 'x', monthlyQuota: 3 })
    const verifications = await Promise.all(
      Array.from({ length: 50 }, () => keys.verify({ key: rawKey, consume: true })),
    )
    expect(verifications.filter(({ valid }) => valid)).toHaveLength(3)
    const refused = verifications.filter(({ valid }) => !valid)
    expect(new Set(refused.map(({ code, remaining }) => `${code} ${remaining}`))).toEqual(new Set(['quota_exceeded 0']))
    expect(await storage.quotas.used(`apiKey:${key.id}`, '2030-01')).toBe(3)
  })

  test('counts for the credits, and says what is left of both', async () => {
    const { keys, storage, consume } = withLimits()
    const { key, rawKey } = await keys.create({ name: 'x', credits: { remaining: 2 } })
    expect(await consume(rawKey, 3)).toEqual(['valid 1', 'valid 0', 'quota_exceeded 0'])
    expect(storage.rows.keys.get(key.id)?.credits).toBe(0)
    const rich = await keys.create({ name: 'y', credits: { remaining: 500 }, rateLimit: { limit: 3, window: '1m' } })
    expect(await consume(rich.rawKey, 4)).toEqual(['valid 2', 'valid 1', 'valid 0', 'rate_limited 0'])
    const poor = await keys.create({ name: 'z', credits: { remaining: 2 }, rateLimit: { limit: 3, window: '1m' } })
    expect(await consume(poor.rawKey, 3)).toEqual(['valid 1', 'valid 0', 'quota_exceeded 0'])
  })

  test('that the rate refuses takes nothing from the quota', async () => {
    const { keys, services, consume } = withLimits()
    const { rawKey } = await keys.create({ name: 'x', monthlyQuota: 3, rateLimit: { limit: 2, window: '1m' } })
    expect(await consume(rawKey, 6)).toEqual(['valid 1', 'valid 0', ...Array<string>(4).fill('rate_limited 0')])
    services.time.now += 60_000
    expect(await consume(rawKey, 2)).toEqual(['valid 1', 'quota_exceeded 0'])
  })

  test('is what only a valid key does, and only when it is asked', async () => {
    const { keys, consume } = withLimits()
    const { rawKey } = await keys.create({
      name: 'x',
      rateLimit: { limit: 1, window: '1m' },
      monthlyQuota: 1,
      ipAllowlist: ['10.0.0.0/8'],
    })
    for (let times = 0; times < 5; times++) {
      expect(await keys.verify({ key: rawKey, ip: '10.0.0.1' })).not.toHaveProperty('remaining')
      expect(await consume(rawKey, 1)).toEqual(['ip_not_allowed undefined'])
    }
    const used = { key: rawKey, ip: '10.0.0.1', consume: true } as const
    expect([(await keys.verify(used)).code, (await keys.verify(used)).code]).toEqual(['valid', 'quota_exceeded'])
  })

  test('that storage does not answer for is no yes', async () => {
    const { keys, storage } = withLimits()
    const { rawKey } = await keys.create({ name: 'x', monthlyQuota: 3 })
    storage.before.set('quotas.claim', () => {
      throw new Error('down')
    })
    const verification = await keys.verify({ key: rawKey, consume: true }).catch(() => null)
    expect(verification?.valid).not.toBe(true)
    expect((await keys.verify({ key: rawKey, consume: true })).code).toBe('valid')
  })
})

describe('blocks', () => {
  const BLOCKED = { valid: false, code: 'address_blocked' } as const

  test.each(['203.0.113.5', '::ffff:203.0.113.5', '10.1.2.3', '2001:db8::2'])(
    '%s is blocked: no key is looked up',
    async (ip) => {
      const { keys, storage, putBlock } = withLimits()
      const { rawKey } = await keys.create({ name: 'x' })
      for (const subject of ['ip:203.0.113.5', 'range:10.0.0.0/8', 'ip:2001:db8::/64']) putBlock(subject)
      storage.calls.length = 0
      for (const key of [rawKey, 'wrong']) expect(await keys.verify({ key, ip })).toEqual(BLOCKED)
      expect(storage.calls).toEqual([])
      for (const other of ['203.0.113.6', undefined, 'nowhere']) {
        expect((await keys.verify({ key: rawKey, ip: other })).code).toBe('valid')
      }
    },
  )

  test('of a path of ours are none elsewhere', async () => {
    const { keys, putBlock } = withLimits()
    const { key, rawKey } = await keys.create({ name: 'x' })
    for (const subject of ['ip:203.0.113.5', `apiKey:${key.id}`])
      putBlock(subject, { scope: 'path', path: '/withdraw' })
    expect((await keys.verify({ key: rawKey, ip: '203.0.113.5' })).code).toBe('valid')
  })

  test.each(['apiKey', 'user', 'organization'])(
    'a key whose %s is blocked is refused, and consumes nothing',
    async (kind) => {
      const { services, keys, putBlock, consume } = withLimits()
      const organizationId = (await services.organizations.create({ name: 'Acme' })).id
      const userId = (await services.users.create({ email: 'a@acme.example', organizationId })).id
      const { key, rawKey } = await keys.create({
        name: 'x',
        organizationId,
        userId,
        rateLimit: { limit: 1, window: '1m' },
      })
      const subject = { apiKey: key.id, user: userId, organization: organizationId }[kind]
      putBlock(`${kind}:${subject}`)
      expect(await keys.verify({ key: rawKey, consume: true })).toEqual({ ...BLOCKED, key })
      services.time.now += 3_600_000
      expect(await consume(rawKey, 1)).toEqual(['valid 0'])
    },
  )

  test('wrong keys count against the address they were presented from', async () => {
    const { keys, blocked } = withLimits()
    const { rawKey } = await keys.create({ name: 'x' })
    const wrong = `${rawKey.slice(0, -1)}${rawKey.endsWith('0') ? '1' : '0'}`
    for (const key of ['wrong', wrong, '']) {
      expect((await keys.verify({ key: rawKey, ip: '203.0.113.5' })).code).toBe('valid')
      expect((await keys.verify({ key, ip: '::ffff:203.0.113.5' })).code).toBe('api_key_invalid')
    }
    expect(blocked).toEqual(['ip:203.0.113.5'])
    expect(await keys.verify({ key: rawKey, ip: '203.0.113.5' })).toEqual(BLOCKED)
    expect((await keys.verify({ key: rawKey, ip: '203.0.113.6' })).code).toBe('valid')
  })

  test('nothing else counts: no address, one of the allow-list, or a key that was right', async () => {
    const { keys, services, blocked } = withLimits()
    const { key, rawKey } = await keys.create({ name: 'x', expiresAt: new Date(START + 1000), environment: 'test' })
    for (const ip of [undefined, 'nowhere', '198.51.100.7']) {
      for (let times = 0; times < 5; times++) await keys.verify({ key: 'wrong', ip })
    }
    const ip = '203.0.113.5'
    for (let times = 0; times < 5; times++) await keys.verify({ key: rawKey, ip, environment: 'live' })
    services.time.now += 1000
    for (let times = 0; times < 5; times++) await keys.verify({ key: rawKey, ip })
    await keys.revoke(key.id)
    for (let times = 0; times < 5; times++) await keys.verify({ key: rawKey, ip })
    expect(blocked).toEqual([])
  })
})
