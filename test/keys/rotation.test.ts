/** Rotation: the new key has all the old one had, and the old one ends. */
import { describe, expect, test } from 'bun:test'
import type { NewApiKey } from '../../src/keys/new-key.ts'
import type { ApiKeyRecord } from '../../src/storage/records.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, START } from '../support/services.ts'
import { createTestCore } from '../support/test-app.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const at = (ms: number) => new Date(START + ms).toISOString()
const BOSS = actorWith(['platform.admin', '*'], { userId: 'user_boss' })

const FULL: NewApiKey = {
  name: 'full',
  permissions: ['users.view', 'posts.*'],
  environment: 'test',
  ipAllowlist: ['10.0.0.0/8'],
  description: 'of the CI',
  metadata: { team: 'red' },
  expiresAt: at(10 * DAY),
  rateLimit: { limit: 60, window: '1m' },
  monthlyQuota: 1000,
}
const COUNTED: NewApiKey = { name: 'counted', credits: { remaining: 50, refill: { amount: 50, every: '1d' } } }

async function withKey(input: NewApiKey = FULL) {
  const services = createServices()
  const { id: organizationId } = await services.organizations.create({ name: 'Acme' })
  const user = await services.users.create({ email: 'a@acme.example', organizationId, roles: ['admin'] })
  const { key, rawKey } = await services.keys.create({ ...input, userId: user.id })
  const { rows } = services.memory
  const { apiKey } = services.authenticators
  const storedOf = (id: string) => rows.keys.get(id) as ApiKeyRecord
  return {
    ...{ services, organizationId, rows, storedOf, rawKey, id: key.id, keys: services.keys },
    async said(text: string) {
      const outcome = await apiKey.resolve(text)
      return outcome.kind === 'refused' ? outcome.code : 'valid'
    },
    events: () => [...rows.audit.values()].filter(({ action }) => action === 'key.rotated'),
  }
}

/** What a successor has of its own. */
const OWN: ReadonlySet<string> = new Set(
  ['id', 'prefix', 'hash', 'createdAt', 'createdBy', 'rotatedFrom', 'lastUsedAt', 'expiryWarnedAt'].concat('lookup'),
)

describe('a successor', () => {
  test.each([
    ['with everything', FULL],
    ['with nothing', { name: 'bare' }],
    ['with credits', COUNTED],
  ])('of a key %s inherits every member but its own', async (_, input) => {
    const { services, keys, id, rows, storedOf } = await withKey(input)
    rows.keys.set(id, { ...storedOf(id), lastUsedAt: START, expiryWarnedAt: START, lookup: 'foreign' })
    const old = storedOf(id)
    services.time.now += 1000
    const { key } = await keys.rotate(id, {}, BOSS)
    const next = storedOf(key.id)
    for (const member of Object.keys(old) as (keyof ApiKeyRecord)[]) {
      if (!OWN.has(member)) expect([member, next[member]]).toEqual([member, old[member]])
    }
    expect(next).toMatchObject({ createdAt: START + 1000, createdBy: BOSS.id, rotatedFrom: id })
    expect(next).toMatchObject({ lastUsedAt: null, expiryWarnedAt: null, lookup: null, revokedAt: null })
    expect(next.id).not.toBe(id)
    expect(next.hash).not.toBe(old.hash)
    expect(next.prefix).toBe(`mac_${old.environment}_${next.id.slice(4)}`)
    expect(key).toEqual(await keys.find(key.id))
  })

  test('is told as such, in the audit log and by what is invalidated', async () => {
    const { services, keys, id, organizationId, events } = await withKey()
    const { key, rawKey } = await keys.rotate(id, { gracePeriod: '2h' }, BOSS)
    const details = { successor: key.id, oldExpiresAt: at(2 * HOUR) }
    expect(events()).toMatchObject([{ actor: BOSS.id, subject: id, organizationId, details }])
    expect(JSON.stringify(events())).not.toContain(rawKey.slice(-49))
    expect(services.invalidated).toEqual([`key:${id}`])
  })

  test('does not outlive what its organization allows since', async () => {
    const { services, keys, id, organizationId } = await withKey({ name: 'for ever' })
    await services.organizations.update(organizationId, { maxKeyLifetime: '30d' })
    services.time.now += DAY
    const { key } = await keys.rotate(id)
    // As the old key, whose life the bound has shortened.
    expect(key.expiresAt).toBe(at(30 * DAY))
    const short = await keys.rotate((await keys.create({ ...FULL, organizationId })).key.id)
    expect(short.key.expiresAt).toBe(at(10 * DAY))
  })

  test('carries its use of the month on', async () => {
    const { keys, id, rows } = await withKey()
    rows.quotas.set(`apiKey:${id} 2030-01`, { subject: `apiKey:${id}`, period: '2030-01', used: 400 })
    const { key } = await keys.rotate(id)
    expect(rows.quotas.get(`apiKey:${key.id} 2030-01`)?.used).toBe(400)
  })
})

describe('the grace', () => {
  test.each<[string | number | undefined, number]>([
    [undefined, HOUR],
    ['1h', HOUR],
    ['90d', 10 * DAY],
    [90, 90_000],
    ['1ms', 1],
  ])('%p: both keys work for it, and only the new one after it', async (gracePeriod, lasts) => {
    const { services, keys, id, rawKey, said } = await withKey()
    await said(rawKey)
    const next = await keys.rotate(id, { gracePeriod })
    expect((await keys.find(id)).expiresAt).toBe(at(lasts))
    expect([await said(rawKey), await said(next.rawKey)]).toEqual(['valid', 'valid'])
    services.time.now += lasts - 1
    expect([await said(rawKey), await said(next.rawKey)]).toEqual(['valid', 'valid'])
    services.time.now += 1
    const isOver = lasts === 10 * DAY
    expect([await said(rawKey), await said(next.rawKey)]).toEqual([
      'api_key_expired',
      isOver ? 'api_key_expired' : 'valid',
    ])
  })

  test.each(['0s', 0, '0 days'])('%p: the old key is revoked at once', async (gracePeriod) => {
    const { keys, id, rawKey, said, events } = await withKey()
    expect(await said(rawKey)).toBe('valid')
    const next = await keys.rotate(id, { gracePeriod }, BOSS)
    expect([await said(rawKey), await said(next.rawKey)]).toEqual(['api_key_revoked', 'valid'])
    expect(await keys.find(id)).toMatchObject({ status: 'revoked', revokedReason: 'rotated', revokedAt: at(0) })
    expect(events()[0]?.details).toMatchObject({ oldExpiresAt: null })
  })

  test('an expiry that is earlier stays, and the log says so', async () => {
    const { keys, id, events } = await withKey({ ...FULL, expiresAt: at(HOUR / 2) })
    await keys.rotate(id)
    expect((await keys.find(id)).expiresAt).toBe(at(HOUR / 2))
    expect(events()[0]?.details).toMatchObject({ oldExpiresAt: at(HOUR / 2) })
  })

  test.each(['91d', '2161h', 90 * 86_400 + 1, 'soon', '', -1, 1.5, Number.NaN, '1h '])(
    '%p is refused, and nothing is written',
    async (gracePeriod) => {
      const { keys, id, rows, storedOf } = await withKey()
      const before = storedOf(id)
      await expectInvalid(keys.rotate(id, { gracePeriod }), 'gracePeriod')
      expect([rows.keys.size, storedOf(id)]).toEqual([1, before])
    },
  )
})

describe('credits', () => {
  test('move at once: there is no grace, and none can be asked for', async () => {
    const { keys, id, rawKey, rows, said, storedOf } = await withKey(COUNTED)
    await expectInvalid(keys.rotate(id, { gracePeriod: '1s' }), 'gracePeriod')
    expect(rows.keys.size).toBe(1)
    rows.keys.set(id, { ...storedOf(id), credits: 20 })
    const { key, rawKey: next } = await keys.rotate(id)
    expect(key.credits).toEqual({ remaining: 20, refill: { amount: 50, every: '1d' } })
    expect([await said(rawKey), await said(next)]).toEqual(['api_key_revoked', 'valid'])
  })

  test('are never more than they were, wherever they were claimed', async () => {
    const { core } = createTestCore()
    await core.ready
    const { key, rawKey } = await core.keys.create({ name: 'counted', credits: { remaining: 300 } })
    const use = async (text: string) => (await core.keys.verify({ key: text, consume: true })).code
    for (let count = 0; count < 5; count += 1) expect(await use(rawKey)).toBe('valid')
    const next = await core.keys.rotate(key.id, { gracePeriod: '0s' })
    expect(await use(rawKey)).toBe('api_key_revoked')
    let used = 0
    while ((await use(next.rawKey)) === 'valid') used += 1
    // What was claimed ahead, a hundredth, is lost with the old key.
    expect(used).toBeGreaterThanOrEqual(292)
    expect(used).toBeLessThanOrEqual(295)
    await core.close()
  })
})

describe('a key that is not in use', () => {
  test.each([
    ['disabled', 'enable it first'],
    ['expired', 'give it another expiresAt'],
    ['revoked', 'create a new one'],
  ])('%s: a conflict that says what to do', async (state, help) => {
    const { services, keys, id, rows } = await withKey()
    if (state === 'disabled') await keys.disable(id)
    if (state === 'expired') services.time.now += 10 * DAY
    if (state === 'revoked') await keys.revoke(id)
    const error = await expectRefused(keys.rotate(id), 'conflict')
    expect(error.detail).toContain(help)
    expect(rows.keys.size).toBe(1)
    expect(auditedActions(services)).not.toContain('key.rotated')
  })

  test('unknown or beyond reach: not found', async () => {
    const { services, keys, id, rows } = await withKey()
    await expectRefused(keys.rotate('key_ghost'), 'not_found')
    await expectRefused(keys.rotate(id, {}, actorWith(['*'], { organizationId: 'org_other' })), 'not_found')
    expect(auditedActions(services)).toContain('cross_tenant_attempt')
    expect(rows.keys.size).toBe(1)
  })

  test.each(['revoked', 'disabled'])('%s meanwhile: a conflict, and no successor', async (how) => {
    const { services, keys, id, rows } = await withKey()
    services.memory.before.set('keys.rotate', async () => {
      await (how === 'revoked' ? keys.revoke(id) : keys.disable(id))
    })
    await expectRefused(keys.rotate(id), 'conflict')
    expect(rows.keys.size).toBe(1)
  })

  test('what is taken from a key while it is rotated is not its successor’s', async () => {
    const { services, keys, id, rows } = await withKey()
    services.memory.before.set('keys.rotate', async () => void (await keys.update(id, { permissions: [] })))
    await expectRefused(keys.rotate(id), 'conflict')
    expect([...rows.keys.values()].map(({ permissions }) => permissions)).toEqual([[]])
    expect((await keys.rotate(id)).key.permissions).toEqual([])
  })
})

test('a second rotation is a conflict that names the successor’s; 50 at once make one', async () => {
  const { core } = createTestCore()
  await core.ready
  const { key } = await core.keys.create({ name: 'x' })
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => core.keys.rotate(key.id)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' })
  }
  for (const gracePeriod of ['1h', '0s']) {
    const error = await expectRefused(core.keys.rotate(key.id, { gracePeriod }), 'conflict')
    expect(error.detail).toContain('rotate its successor')
  }
  const { items } = await core.keys.list()
  expect(items.map(({ rotatedFrom }) => rotatedFrom).sort()).toEqual([key.id, null].sort())
  expect((await core.keys.find(key.id)).status).toBe('active')
  await core.close()
})
