import { describe, expect, test } from 'bun:test'
import type { ApiKeyPrincipal, KeyUse } from '../../src/authentication/principal.ts'
import { toApiKeyView } from '../../src/authentication/views.ts'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { noteBelieved } from '../../src/lib/belief.ts'
import { KeyAllowances, type KeyAllowancesOptions, type Reservation } from '../../src/limits/key-allowance.ts'
import { QuotaLedger } from '../../src/limits/quota-ledger.ts'
import { aKey } from '../contract/fixtures.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { until } from '../support/until.ts'

const NOW = Date.UTC(2030, 0, 15, 12)
const DAY = 86_400_000
const FEBRUARY = Date.UTC(2030, 1, 1)

function aPrincipal(use: Partial<KeyUse> = {}, id = 'key_1'): ApiKeyPrincipal {
  return {
    kind: 'apiKey',
    id,
    organizationId: null,
    user: null,
    granted: new PermissionSet([]),
    apiKey: toApiKeyView(aKey({ id }), NOW),
    allowsAddress: null,
    expiryWarning: null,
    use: { rateLimit: null, monthlyQuota: null, organizationQuota: null, credits: null, ...use },
  }
}

function withAllowances(more: Partial<KeyAllowancesOptions> = {}) {
  const storage = createMemoryStorage(() => NOW)
  const ledger = new QuotaLedger()
  const allowances = new KeyAllowances({
    maxSubjects: 100,
    ledger,
    keys: storage.keys,
    quotas: storage.quotas,
    defaultRate: { limit: 60, window: '1m' },
    strategy: 'sliding-window',
    meter: null,
    ...more,
  })
  return {
    storage,
    ledger,
    allowances,
    /** What storage counts as used, less what was claimed ahead. */
    async used(subject: string, period = '2030-01') {
      return (await storage.quotas.used(subject, period)) - ledger.unusedOf(`${period} ${subject}`)
    },
    async kinds(principal: ApiKeyPrincipal, times: number, now = NOW): Promise<readonly Reservation['kind'][]> {
      const kinds: Reservation['kind'][] = []
      for (let count = 0; count < times; count++) kinds.push((await allowances.reserve(principal, now)).kind)
      return kinds
    },
  }
}

describe('the rate of a key', () => {
  test.each([
    {
      name: 'its own',
      use: { limit: 5, window: '10s' },
      expected: { limit: 5, window: 10_000 },
      policy: '"key";q=5;w=10',
    },
    { name: 'the default', use: null, expected: { limit: 60, window: 60_000 }, policy: '"key";q=60;w=60' },
  ])('is $name', ({ use, expected, policy }) => {
    const allowance = withAllowances().allowances.of(aPrincipal({ rateLimit: use }))
    expect(allowance).toMatchObject({ subject: 'apiKey:key_1', hasBudgets: false })
    expect(allowance.rate).toMatchObject({ ...expected, strategy: 'sliding-window' })
    expect(allowance.label?.policy).toBe(policy)
  })

  test('counts in one limiter, also when the one that it had was thrown away', () => {
    const { allowances } = withAllowances()
    const allow = (id: string, limit: number, now: number) => {
      const allowance = allowances.of(aPrincipal({ rateLimit: { limit, window: '1m' } }, id))
      if (allowance.rate === null) throw new Error('there is a rate')
      return { allowance, limiter: allowances.limiterOf(allowance, allowance.rate, now) }
    }
    const { allowance, limiter } = allow('key_1', 5, NOW)
    limiter.hit(allowance.subject, NOW)
    const findAgain = (now: number) => allowances.limiterOf(allowance, allowance.rate ?? limiter.rate, now)
    expect(findAgain(NOW)).toBe(limiter)
    // So many others that those are thrown away that nobody used for a window.
    const later = NOW + 120_000
    for (let other = 0; other < 2000; other += 1) allow(`key_o${other}`, other + 10, later)
    expect(limiter.isRetired).toBeTrue()
    const next = findAgain(later)
    expect(next).not.toBe(limiter)
    expect(allow('key_1', 5, later).limiter).toBe(next)
  })

  test('is none where the default is off and it has none', () => {
    const { allowances } = withAllowances({ defaultRate: false })
    expect(allowances.of(aPrincipal())).toMatchObject({ rate: null, label: null, hasBudgets: false })
    expect(allowances.of(aPrincipal({ rateLimit: { limit: 1, window: '1s' } })).rate?.limit).toBe(1)
  })

  test('is counted by the strategy of the options', () => {
    const { allowances } = withAllowances({ strategy: 'token-bucket' })
    expect(allowances.of(aPrincipal()).rate?.strategy).toBe('token-bucket')
  })

  test('is compiled once for as long as the key is remembered', () => {
    const { allowances } = withAllowances()
    const principal = aPrincipal()
    expect(allowances.of(principal)).toBe(allowances.of(principal))
  })

  test("outlives what is remembered of the key, and is no other key's", () => {
    const { allowances } = withAllowances({ defaultRate: { limit: 2, window: '1m' } })
    const hit = (principal: ApiKeyPrincipal) => {
      const allowance = allowances.of(principal)
      if (allowance.rate === null) throw new Error('no rate')
      return allowances.limiterOf(allowance, allowance.rate, NOW).hit(allowance.subject, NOW).isAllowed
    }
    expect([hit(aPrincipal()), hit(aPrincipal({ rateLimit: { limit: 2, window: '60s' } })), hit(aPrincipal())]).toEqual(
      [true, true, false],
    )
    expect(hit(aPrincipal({}, 'key_2'))).toBe(true)
    // A changed rate is another count.
    expect(hit(aPrincipal({ rateLimit: { limit: 3, window: '1m' } }))).toBe(true)
  })
})

describe('quotas', () => {
  const withOrganization = (limit: number, more: Partial<KeyUse> = {}, id = 'key_1') =>
    aPrincipal({ organizationQuota: { organizationId: 'org_1', limit }, ...more }, id)

  test('there are none to wait for where the key has none', () => {
    const { allowances, storage } = withAllowances()
    const reservation = allowances.reserve(aPrincipal(), NOW)
    expect(reservation).toMatchObject({ kind: 'reserved' })
    expect(storage.calls).toEqual([])
  })

  test.each([
    { monthlyQuota: 5 },
    { organizationQuota: { organizationId: 'org_1', limit: 5 } },
    { credits: { refill: null } },
  ] satisfies Partial<KeyUse>[])('%j is one to wait for', (use) => {
    expect(withAllowances().allowances.of(aPrincipal(use)).hasBudgets).toBe(true)
  })

  test('of the key: as many as it says, however many ask at once', async () => {
    const { allowances, storage } = withAllowances()
    const principal = aPrincipal({ monthlyQuota: 7 })
    const reservations = await Promise.all(Array.from({ length: 100 }, () => allowances.reserve(principal, NOW)))
    expect(reservations.filter(({ kind }) => kind === 'reserved')).toHaveLength(7)
    expect(await storage.quotas.used('apiKey:key_1', '2030-01')).toBe(7)
  })

  test.each([
    { name: 'the key', principal: aPrincipal({ monthlyQuota: 1 }), whose: "key's" },
    { name: 'the organization', principal: withOrganization(1), whose: "organization's" },
  ])('the refusal says whose it is ($name) and when the month ends', async ({ principal, whose }) => {
    const { allowances } = withAllowances()
    await allowances.reserve(principal, NOW)
    expect(await allowances.reserve(principal, NOW)).toEqual({
      kind: 'exhausted',
      of: 'quota',
      extras: {
        detail: `The ${whose} quota of 1 requests a month is used up. It resets at 2030-02-01T00:00:00.000Z.`,
        retryAfter: (FEBRUARY - NOW) / 1000,
        resetsAt: '2030-02-01T00:00:00.000Z',
      },
    })
  })

  test("the month's turn brings all of it back, to the ms", async () => {
    const { kinds, storage } = withAllowances()
    const principal = aPrincipal({ monthlyQuota: 2 })
    expect(await kinds(principal, 3, FEBRUARY - 1)).toEqual(['reserved', 'reserved', 'exhausted'])
    expect(await kinds(principal, 3, FEBRUARY)).toEqual(['reserved', 'reserved', 'exhausted'])
    expect(await storage.quotas.used('apiKey:key_1', '2030-01')).toBe(2)
    expect(await storage.quotas.used('apiKey:key_1', '2030-02')).toBe(2)
  })

  test('what is unused when the month turns goes back to its own month', async () => {
    const { kinds, ledger, storage } = withAllowances()
    await kinds(aPrincipal({ monthlyQuota: 1000 }), 2, FEBRUARY - 1)
    expect(await storage.quotas.used('apiKey:key_1', '2030-01')).toBe(10)
    await kinds(aPrincipal({ monthlyQuota: 1000 }), 1, FEBRUARY)
    await ledger.settle(Number.POSITIVE_INFINITY)
    expect(await storage.quotas.used('apiKey:key_1', '2030-01')).toBe(2)
    expect(await storage.quotas.used('apiKey:key_1', '2030-02')).toBe(1)
  })

  test('of the organization: all its keys share it, and keep their own', async () => {
    const { kinds, used } = withAllowances()
    const [one, other] = ['key_1', 'key_2'].map((id) => withOrganization(5, { monthlyQuota: 4 }, id)) as [
      ApiKeyPrincipal,
      ApiKeyPrincipal,
    ]
    expect(await kinds(one, 5)).toEqual([...Array<'reserved'>(4).fill('reserved'), 'exhausted'])
    expect(await kinds(other, 2)).toEqual(['reserved', 'exhausted'])
    expect([await used('apiKey:key_1'), await used('apiKey:key_2'), await used('organization:org_1')]).toEqual([
      4, 1, 5,
    ])
  })

  test('a raised quota counts', async () => {
    const { kinds } = withAllowances()
    expect(await kinds(aPrincipal({ monthlyQuota: 1 }), 2)).toEqual(['reserved', 'exhausted'])
    expect(await kinds(aPrincipal({ monthlyQuota: 2 }), 2, NOW + 1000)).toEqual(['reserved', 'exhausted'])
  })

  test('a lowered quota refuses, and storage never counts more than it says', async () => {
    const { kinds } = withAllowances()
    await kinds(aPrincipal({ monthlyQuota: 5 }), 3)
    expect(await kinds(aPrincipal({ monthlyQuota: 2 }), 1)).toEqual(['exhausted'])
  })

  test('a use that is released is there for the next', async () => {
    const { allowances, used } = withAllowances()
    const principal = withOrganization(1, { monthlyQuota: 1 })
    const reservation = await allowances.reserve(principal, NOW)
    if (reservation.kind === 'reserved') reservation.release()
    expect([await used('apiKey:key_1'), await used('organization:org_1')]).toEqual([0, 0])
    expect((await allowances.reserve(principal, NOW)).kind).toBe('reserved')
    expect((await allowances.reserve(principal, NOW)).kind).toBe('exhausted')
  })

  test('all or none: what one has not, no other loses', async () => {
    const { kinds, used, storage } = withAllowances()
    await storage.keys.insert(aKey({ id: 'key_1', credits: 0 }))
    const principal = withOrganization(10, { monthlyQuota: 10, credits: { refill: null } })
    expect(await kinds(principal, 3)).toEqual(['exhausted', 'exhausted', 'exhausted'])
    expect([await used('apiKey:key_1'), await used('organization:org_1')]).toEqual([0, 0])
  })

  test.each(['quotas.claim', 'keys.claimCredits'])(
    'where %s fails nobody is let in and nothing is taken',
    async (verb) => {
      const { allowances, used, storage } = withAllowances()
      await storage.keys.insert(aKey({ id: 'key_1', credits: 5 }))
      storage.before.set(verb, () => {
        throw new Error('storage is away')
      })
      const principal = withOrganization(5, { monthlyQuota: 5, credits: { refill: null } })
      await expect(Promise.resolve(allowances.reserve(principal, NOW))).rejects.toThrow('storage is away')
      expect([await used('apiKey:key_1'), await used('organization:org_1')]).toEqual([0, 0])
      expect((await allowances.reserve(principal, NOW)).kind).toBe('reserved')
      expect([await used('apiKey:key_1'), await used('organization:org_1')]).toEqual([1, 1])
    },
  )
})

describe('credits', () => {
  async function withCredits(credits: number, refill: { amount: number; every: number } | null = null) {
    const all = withAllowances()
    const since = NOW - DAY / 2
    const record =
      refill === null
        ? {}
        : { creditsRefillAmount: refill.amount, creditsRefillEvery: refill.every, creditsRefilledAt: since }
    await all.storage.keys.insert(aKey({ id: 'key_1', credits, ...record }))
    return {
      ...all,
      principal: aPrincipal({ credits: { refill: refill === null ? null : { every: refill.every, since } } }),
    }
  }

  test('are uses: none is left when they are used, and nothing says when there will be more', async () => {
    const { kinds, allowances, principal, storage } = await withCredits(2)
    expect(await kinds(principal, 3)).toEqual(['reserved', 'reserved', 'exhausted'])
    expect(await allowances.reserve(principal, NOW)).toEqual({
      kind: 'exhausted',
      of: 'credits',
      extras: { detail: 'The API key has no uses left.' },
    })
    expect(storage.rows.keys.get('key_1')?.credits).toBe(0)
  })

  test('that come back say when, and do', async () => {
    const { kinds, allowances, principal } = await withCredits(0, { amount: 2, every: DAY })
    const refill = NOW + DAY / 2
    expect(await allowances.reserve(principal, NOW)).toEqual({
      kind: 'exhausted',
      of: 'credits',
      extras: {
        detail: 'The API key has no uses left. It is refilled at 2030-01-16T00:00:00.000Z.',
        retryAfter: DAY / 2 / 1000,
        resetsAt: '2030-01-16T00:00:00.000Z',
      },
    })
    expect(await kinds(principal, 1, refill - 1)).toEqual(['exhausted'])
    expect(await kinds(principal, 3, refill)).toEqual(['reserved', 'reserved', 'exhausted'])
    expect(await allowances.reserve(principal, refill)).toMatchObject({
      extras: { resetsAt: '2030-01-17T00:00:00.000Z' },
    })
  })

  test('that were claimed ahead are still there for who looks at the key', async () => {
    const { kinds, allowances, principal, storage } = await withCredits(1000)
    await kinds(principal, 2)
    const stored = storage.rows.keys.get('key_1')?.credits ?? 0
    expect([stored, stored + allowances.unusedCredits('key_1')]).toEqual([990, 998])
    expect(allowances.creditsLeft(principal)).toBe(998)
    expect(allowances.unusedCredits('key_2')).toBe(0)
    expect(allowances.creditsLeft(aPrincipal())).toBeNull()
  })

  test('go back when nobody wants them', async () => {
    const { kinds, ledger, principal, storage } = await withCredits(1000)
    await kinds(principal, 2)
    await ledger.settle(NOW + 10_000)
    expect(storage.rows.keys.get('key_1')?.credits).toBe(998)
  })
})

describe('who is believed because storage kept him waiting', () => {
  const never: Promise<never> = new Promise(() => undefined)
  const silent = { claim: () => never, giveBack: async () => undefined }

  test('has what was claimed before, and then is refused at once', async () => {
    let isSilent = false
    const { quotas } = createMemoryStorage(() => NOW)
    const { allowances } = withAllowances({
      quotas: { ...silent, claim: (claim) => (isSilent ? never : quotas.claim(claim)) },
    })
    const principal = aPrincipal({ monthlyQuota: 1000 })
    // The first claim brings one, the second a hundredth of what is left.
    for (let times = 0; times < 2; times += 1) await allowances.reserve(principal, NOW)
    isSilent = true
    noteBelieved(principal, NOW + 1000)
    const kinds: string[] = []
    for (let times = 0; times < 10; times += 1) {
      const reserved = allowances.reserve(principal, NOW)
      if (reserved instanceof Promise) throw new Error('nobody may wait')
      kinds.push(reserved.kind)
    }
    expect(kinds).toEqual([...Array.from({ length: 8 }, () => 'reserved'), 'failed', 'failed'])
    expect(allowances.reserve(principal, NOW)).toMatchObject({ failure: { code: 'storage_unavailable' } })
    // By then storage is asked again.
    expect(allowances.reserve(principal, NOW + 1000)).toBeInstanceOf(Promise)
  })

  test('finds what a slow storage has brought meanwhile, and is told where there is none', async () => {
    const { allowances } = withAllowances()
    const principal = aPrincipal({ monthlyQuota: 1 })
    noteBelieved(principal, NOW + 1000)
    expect(allowances.reserve(principal, NOW)).toMatchObject({ kind: 'failed' })
    await until(() => (allowances.reserve(principal, NOW) as Reservation).kind === 'reserved')
    expect(allowances.reserve(principal, NOW)).toMatchObject({ kind: 'failed' })
    await until(() => (allowances.reserve(principal, NOW) as Reservation).kind === 'exhausted')
  })

  test('takes nothing of one budget where another has nothing', async () => {
    const { allowances, used } = withAllowances({
      keys: { claimCredits: () => never, giveBackCredits: async () => undefined },
    })
    const both = aPrincipal({ monthlyQuota: 100, credits: { refill: null } })
    const quota = aPrincipal({ monthlyQuota: 100 })
    const first = await allowances.reserve(quota, NOW)
    if (first.kind === 'reserved') first.release()
    noteBelieved(both, NOW + 1000)
    expect(allowances.reserve(both, NOW)).toMatchObject({ kind: 'failed' })
    expect(await used('apiKey:key_1')).toBe(0)
  })
})
