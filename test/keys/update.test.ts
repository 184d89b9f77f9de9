/** Changing keys: what is written, refused, told, and effective at once. */
import { describe, expect, test } from 'bun:test'
import type { KeyChange } from '../../src/keys/key-change.ts'
import type { NewApiKey } from '../../src/keys/new-key.ts'
import type { ApiKeyRecord } from '../../src/storage/records.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, START } from '../support/services.ts'
import { createTestCore } from '../support/test-app.ts'

const DAY = 86_400_000
const at = (days: number) => new Date(START + days * DAY).toISOString()
const BOSS = actorWith(['platform.admin', '*'], { userId: 'user_boss' })

const FULL: NewApiKey = {
  name: 'full',
  permissions: ['users.view', 'posts.*'],
  ipAllowlist: ['10.0.0.0/8'],
  description: 'the first',
  metadata: { team: 'crimson' },
  expiresAt: at(10),
  rateLimit: { limit: 60, window: '1m' },
  monthlyQuota: 1000,
  credits: { remaining: 50, refill: { amount: 50, every: '1d' } },
}

async function withKey(input: NewApiKey = FULL) {
  const services = createServices()
  const { key, rawKey } = await services.keys.create(input)
  const { id } = key
  const { rows } = services.memory
  return {
    services,
    ...{ id, rawKey, key, keys: services.keys, rows },
    stored: () => rows.keys.get(id) as ApiKeyRecord,
    events: () => [...rows.audit.values()].filter(({ action }) => action !== 'key.created'),
    resolve: () => services.authenticators.apiKey.resolve(rawKey),
  }
}

const NO_REFILL = { creditsRefillAmount: null, creditsRefillEvery: null, creditsRefilledAt: null }

/** A change, and what is stored differently afterwards. */
const CHANGES: readonly (readonly [KeyChange, Partial<ApiKeyRecord>])[] = [
  [{ name: ' Renamed ' }, { name: ' Renamed ' }],
  [{ description: 'two\nlines' }, { description: 'two\nlines' }],
  [{ description: null }, { description: null }],
  [{ description: '' }, { description: '' }],
  [{ permissions: ['users:view', 'users.view'] }, { permissions: ['users.view'] }],
  [{ permissions: [] }, { permissions: [] }],
  [{ ipAllowlist: ['2001:DB8::1', '192.0.2.0/24'] }, { ipAllowlist: ['2001:db8::1/128', '192.0.2.0/24'] }],
  [{ ipAllowlist: [] }, { ipAllowlist: [] }],
  [{ rateLimit: { limit: 5, window: '60s' } }, { rateLimit: { limit: 5, window: '1m' } }],
  [{ rateLimit: null }, { rateLimit: null }],
  [{ monthlyQuota: 1 }, { monthlyQuota: 1 }],
  [{ monthlyQuota: null }, { monthlyQuota: null }],
  [{ credits: { remaining: 0 } }, { credits: 0, ...NO_REFILL }],
  [
    { credits: { remaining: 7, refill: { amount: 9, every: '2h' } } },
    { credits: 7, creditsRefillAmount: 9, creditsRefillEvery: 7_200_000, creditsRefilledAt: START + 1000 },
  ],
  [{ credits: null }, { credits: null, ...NO_REFILL }],
  [{ expiresAt: at(20) }, { expiresAt: START + 20 * DAY }],
  [{ expiresAt: new Date(START + 2 * DAY) }, { expiresAt: START + 2 * DAY }],
  [{ expiresAt: null }, { expiresAt: null }],
  [{ metadata: { team: 'blue', list: [1] } }, { metadata: { team: 'blue', list: [1] } }],
  [{ metadata: null }, { metadata: null }],
  [{ enabled: false }, { enabled: false }],
  [
    { name: 'two', monthlyQuota: 5, enabled: false },
    { name: 'two', monthlyQuota: 5, enabled: false },
  ],
]

describe('a change', () => {
  test.each([...CHANGES])('%j is stored and answered, and nothing else', async (change, expected) => {
    const { services, keys, id, key, stored } = await withKey()
    const before = stored()
    services.time.now += 1000
    const view = await keys.update(id, change)
    expect(stored()).toEqual({ ...before, ...expected })
    expect(view).toEqual(await keys.find(id))
    expect(view.createdAt).toBe(key.createdAt)
    expect(services.invalidated).toEqual([`key:${id}`])
  })

  test.each([{}, { name: undefined, enabled: undefined }])('of nothing (%p) writes nothing', async (change) => {
    const { services, keys, id, key, rows } = await withKey()
    services.memory.calls.length = 0
    expect(await keys.update(id, change)).toEqual(key)
    expect(services.memory.calls).toEqual(['keys.find'])
    expect(services.invalidated).toEqual([])
    expect(rows.changes).toEqual([])
  })

  test('to what it is already is not written down', async () => {
    const { keys, id, key, events } = await withKey()
    const { name, description, permissions, metadata, expiresAt, rateLimit, credits } = key
    const same = { name, description, permissions, metadata, expiresAt, rateLimit, enabled: true }
    const view = await keys.update(id, { ...same, credits: credits as NonNullable<KeyChange['credits']> })
    expect(view).toEqual(key)
    expect(events()).toEqual([])
  })

  test('takes effect on the next request', async () => {
    const { keys, id, resolve } = await withKey()
    const granted = async () => {
      const outcome = await resolve()
      return outcome.kind === 'apiKey' ? [outcome.granted.names, outcome.use.monthlyQuota] : outcome.code
    }
    expect(await granted()).toEqual([['posts.*', 'users.view'], 1000])
    await keys.update(id, { permissions: ['users.view'], monthlyQuota: null })
    expect(await granted()).toEqual([['users.view'], null])
    await keys.disable(id)
    expect(await granted()).toBe('api_key_disabled')
    await keys.enable(id)
    expect(await granted()).toEqual([['users.view'], null])
  })
})

/** Each with the paths that the refusal names. */
const MISTAKES: readonly (readonly [change: Record<string, unknown>, ...paths: string[]])[] = [
  [{ name: '' }, 'name'],
  [{ name: null }, 'name'],
  [{ name: 'x'.repeat(256) }, 'name'],
  [{ name: 'a\nb' }, 'name'],
  [{ description: 'a\0b' }, 'description'],
  [{ description: 'x'.repeat(1001) }, 'description'],
  [{ permissions: ['users.view', 'users.nothing', 'no such!'] }, 'permissions.1', 'permissions.2'],
  [{ permissions: Array(201).fill('users.view') }, 'permissions'],
  [{ ipAllowlist: ['10.0.0.1', '10.0.0.0/33'] }, 'ipAllowlist.1'],
  [{ ipAllowlist: Array(101).fill('10.0.0.1') }, 'ipAllowlist'],
  [{ rateLimit: { limit: 0, window: 'soon' } }, 'rateLimit.limit', 'rateLimit.window'],
  [{ rateLimit: 60 }, 'rateLimit'],
  [{ monthlyQuota: -1 }, 'monthlyQuota'],
  [{ monthlyQuota: 1.5 }, 'monthlyQuota'],
  [{ credits: 5 }, 'credits'],
  [
    { credits: { remaining: -1, refill: { amount: 0, every: '1ms' } } },
    ...['credits.remaining', 'credits.refill.amount', 'credits.refill.every'],
  ],
  [{ expiresAt: at(0) }, 'expiresAt'],
  [{ expiresAt: 'tomorrow' }, 'expiresAt'],
  [{ expiresAt: new Date(Number.NaN) }, 'expiresAt'],
  [{ metadata: [] }, 'metadata'],
  [{ metadata: { big: 'x'.repeat(4096) } }, 'metadata'],
  [{ enabled: 'no' }, 'enabled'],
  [{ enabled: null }, 'enabled'],
  [{ name: '', expiresAt: 'x', enabled: 1 }, 'name', 'expiresAt', 'enabled'],
]

describe('a mistake', () => {
  test.each([...MISTAKES])('in %j is named, and nothing is written', async (change, ...paths) => {
    const { services, keys, id, stored, events } = await withKey()
    const before = stored()
    // What JavaScript and JSON can send.
    await expectInvalid(keys.update(id, change as KeyChange), ...paths)
    expect(stored()).toEqual(before)
    expect([events(), services.invalidated]).toEqual([[], []])
  })

  test('in a permission names the permission', async () => {
    const { keys, id } = await withKey()
    const error = await expectRefused(keys.update(id, { permissions: ['users.nothing'] }), 'validation_failed')
    expect(error.extras.errors?.[0]?.message).toContain('users.nothing')
  })
})

describe('by its state', () => {
  test.each([{ enabled: true }, { enabled: false }, { name: 'risen' }, { expiresAt: null }])(
    'a revoked key is not changed to %p',
    async (change) => {
      const { services, keys, id, stored, resolve } = await withKey()
      await keys.revoke(id)
      const before = stored()
      const error = await expectRefused(keys.update(id, change), 'conflict')
      expect(error.detail).toContain('create a new one')
      expect(stored()).toEqual(before)
      expect(await resolve()).toMatchObject({ code: 'api_key_revoked' })
      expect(auditedActions(services)).toEqual(['key.created', 'key.revoked'])
    },
  )

  test('an expired key can be given another expiry, or none', async () => {
    for (const expiresAt of [at(30), null]) {
      const { services, keys, id, resolve } = await withKey()
      services.time.now += 11 * DAY
      expect(await resolve()).toMatchObject({ code: 'api_key_expired' })
      expect((await keys.update(id, { expiresAt })).status).toBe('active')
      expect((await resolve()).kind).toBe('apiKey')
    }
  })

  test('another expiry is one that nobody was told of', async () => {
    const { keys, id, rows, stored } = await withKey()
    rows.keys.set(id, { ...stored(), expiryWarnedAt: START })
    await keys.update(id, { name: 'other' })
    expect(stored().expiryWarnedAt).toBe(START)
    await keys.update(id, { expiresAt: at(12) })
    expect(stored().expiryWarnedAt).toBeNull()
  })

  test('an unknown key is not found, and one deleted or revoked meanwhile is not brought back', async () => {
    const { services, keys, id, rows, stored } = await withKey()
    await expectRefused(keys.update('key_ghost', { name: 'x' }), 'not_found')
    services.memory.before.set('keys.update', async () => void (await keys.revoke(id)))
    await expectRefused(keys.enable(id), 'conflict')
    expect(stored().revokedAt).toBe(START)
    rows.keys.set(id, { ...stored(), revokedAt: null })
    services.memory.before.set('keys.update', () => void rows.keys.delete(id))
    await expectRefused(keys.enable(id), 'not_found')
    expect(rows.keys.size).toBe(0)
  })
})

describe('the audit log', () => {
  test('tells what was and what is, of whom, and not the values of description and metadata', async () => {
    const { services, keys, id, events } = await withKey()
    await keys.update(
      id,
      { name: 'new', description: 'private words', metadata: { card: '4242' }, permissions: ['users.view'] },
      BOSS,
    )
    await keys.update(id, { credits: { remaining: 3 }, expiresAt: null }, BOSS)
    expect(events()).toMatchObject([
      {
        ...{ action: 'key.updated', actor: BOSS.id, subject: id, at: START },
        details: {
          before: { name: 'full', permissions: ['users.view', 'posts.*'] },
          after: { name: 'new', permissions: ['users.view'], description: 'changed', metadata: 'changed' },
        },
      },
      {
        action: 'key.updated',
        details: {
          before: { credits: { remaining: 50, refill: { amount: 50, every: '1d' } }, expiresAt: at(10) },
          after: { credits: { remaining: 3 }, expiresAt: null },
        },
      },
    ])
    const written = JSON.stringify(events())
    for (const hidden of ['private words', 'the first', '4242', 'card', 'crimson', 'RefilledAt', 'WarnedAt', 'hash']) {
      expect(written).not.toContain(hidden)
    }
    expect(services.memory.rows.audit.size).toBe(3)
  })

  test('tells of switching off and on by its own name', async () => {
    const { services, keys, id } = await withKey()
    await keys.disable(id, BOSS)
    await keys.disable(id, BOSS)
    await keys.enable(id, BOSS)
    await keys.update(id, { enabled: false, name: 'both' }, BOSS)
    const actions = ['key.created', 'key.disabled', 'key.enabled', 'key.disabled', 'key.updated']
    expect(auditedActions(services)).toEqual(actions)
  })
})

describe('a verification that runs beside it never brings back what was taken', () => {
  type World = Awaited<ReturnType<typeof withKey>>
  const takings: readonly (readonly [string, (world: World) => Promise<unknown>, string])[] = [
    ['disabling', ({ keys, id }) => keys.disable(id), 'api_key_disabled'],
    ['revoking', ({ keys, id }) => keys.revoke(id), 'api_key_revoked'],
    ['rotating without a grace', ({ keys, id }) => keys.rotate(id, { gracePeriod: '0s' }), 'api_key_revoked'],
    ['a lockdown', ({ keys }) => keys.lockdown({ createdBefore: at(1) }), 'api_key_revoked'],
    ['taking permissions', ({ keys, id }) => keys.update(id, { permissions: [] }), ''],
    ['allowing other addresses', ({ keys, id }) => keys.update(id, { ipAllowlist: ['192.0.2.1'] }), '|192.0.2.1/32'],
    [
      'an earlier expiry',
      async ({ services, keys, id }) => {
        await keys.update(id, { expiresAt: new Date(START + 1) })
        services.time.now += 2
      },
      'api_key_expired',
    ],
  ]

  const stateOf = async ({ resolve }: World) => {
    const outcome = await resolve()
    if (outcome.kind === 'refused') return outcome.code
    const { permissions, ipAllowlist } = outcome.apiKey
    return ipAllowlist[0] === '10.0.0.0/8' ? permissions.join() : `|${ipAllowlist.join()}`
  }

  test.each([...takings])('%s, after storage was read', async (_, take, expected) => {
    const world = await withKey()
    const { services, resolve } = world
    const { memory } = services
    // The reading has its row, and waits while the key is taken away under it.
    const { findWithOwner } = memory.keys
    const read = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    Object.assign(memory.keys, {
      async findWithOwner(id: string) {
        const row = await findWithOwner(id)
        read.resolve()
        await go.promise
        return row
      },
    })
    const slow = resolve()
    await read.promise
    Object.assign(memory.keys, { findWithOwner })
    await take(world)
    go.resolve()
    await slow
    expect(await stateOf(world)).toBe(expected)
  })

  test.each([...takings])('%s, before storage is read', async (_, take, expected) => {
    const world = await withKey()
    await world.resolve()
    world.services.authenticators.apiKey.cache.clear()
    world.services.memory.before.set('keys.findWithOwner', async () => void (await take(world)))
    await world.resolve()
    expect(await stateOf(world)).toBe(expected)
  })

  test.each([...takings])('%s, between its writing and its being forgotten', async (_, take, expected) => {
    const world = await withKey()
    await world.resolve()
    const { keys } = world.services.memory
    const { update, revoke, rotate, revokeSelected } = keys
    // It was written; that it was is heard of after somebody has asked once more.
    const late =
      <A extends unknown[], T>(verb: (...args: A) => Promise<T>) =>
      async (...args: A) => {
        const answer = await verb(...args)
        await world.resolve()
        return answer
      }
    Object.assign(keys, {
      ...{ update: late(update), revoke: late(revoke) },
      ...{ rotate: late(rotate), revokeSelected: late(revokeSelected) },
    })
    await take(world)
    expect(await stateOf(world)).toBe(expected)
  })

  test('and enabling brings it back at once', async () => {
    const world = await withKey()
    await world.keys.disable(world.id)
    expect(await stateOf(world)).toBe('api_key_disabled')
    const late = world.resolve()
    await world.keys.enable(world.id)
    await late
    expect(await stateOf(world)).toBe('users.view,posts.*')
  })

  test.each(['keys.update', 'keys.rotate', 'keys.revokeSelected'])(
    'also when %s does not answer in time',
    async (verb) => {
      const { services, keys, id } = await withKey()
      services.memory.before.set(verb, () => {
        throw new Error('timeout')
      })
      const verbs: Record<string, () => Promise<unknown>> = {
        'keys.update': () => keys.disable(id),
        'keys.rotate': () => keys.rotate(id),
        'keys.revokeSelected': () => keys.lockdown({ createdBefore: at(1) }),
      }
      await expect(verbs[verb]?.()).rejects.toThrow('timeout')
      expect(services.invalidated).toEqual([verb === 'keys.revokeSelected' ? 'key:*' : `key:${id}`])
    },
  )
})

test('credits that are set count at once, whatever was claimed of the old ones', async () => {
  const { core } = createTestCore()
  await core.ready
  const { key, rawKey } = await core.keys.create({ name: 'counted', credits: { remaining: 100_000 } })
  const use = async () => (await core.keys.verify({ key: rawKey, consume: true })).code
  for (let count = 0; count < 3; count += 1) expect(await use()).toBe('valid')
  // Views count what is claimed and still to come.
  expect((await core.keys.find(key.id)).credits).toEqual({ remaining: 99_997 })
  expect((await core.keys.update(key.id, { credits: { remaining: 3 } })).credits).toEqual({ remaining: 3 })
  const codes = await Promise.all(Array.from({ length: 10 }, use))
  expect(codes.filter((code) => code === 'valid')).toHaveLength(3)
  await core.keys.update(key.id, { credits: { remaining: 1 } })
  expect([await use(), await use()]).toEqual(['valid', 'quota_exceeded'])
  await core.keys.update(key.id, { credits: null })
  expect(await use()).toBe('valid')
  await core.close()
})
