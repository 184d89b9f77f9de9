import { describe, expect, test } from 'bun:test'
import { type CompiledPolicy, type CompiledRate, compilePolicies, tellApart } from '../../src/limits/policy.ts'
import type { LimitContext, LimitPolicy, RateLimitInput, RatePolicy } from '../../src/options/limit-types.ts'

const MINUTE = 60_000
const NOON = Date.UTC(2030, 0, 1, 12)
const GIVEN = { limit: 5, window: '1m' } as const

function compile(given: RateLimitInput, strategy: RatePolicy['strategy'] = 'sliding-window') {
  return compilePolicies(given, strategy, 'rateLimit')
}

function compileOne(given: LimitPolicy): CompiledPolicy {
  const [policy] = compile(given)
  if (policy === undefined) throw new Error('nothing was compiled')
  return policy
}

function compileRate(given: RatePolicy): CompiledRate {
  const policy = compileOne(given)
  if (policy.kind !== 'rate') throw new Error('no rate was compiled')
  return policy
}

describe('a limit', () => {
  test('counts addresses, by route, one unit a request, unless it says otherwise', () => {
    const policy = compileRate(GIVEN)
    const rate = { strategy: 'sliding-window', limit: 5, window: MINUTE, burst: 5 } as const
    expect(policy).toMatchObject({
      kind: 'rate',
      by: 'ip',
      scope: 'path',
      name: 'ip-5-1m',
      rate,
      cost: 1,
      lockout: null,
    })
    expect(Object.isFrozen(policy)).toBe(true)
  })

  test('keeps what it says, and leaves what was given as it was', () => {
    const by = ({ address }: LimitContext) => address ?? ''
    const cost = () => 2
    const given = Object.freeze({ limit: 9, window: 30, by, cost, scope: 'global', name: 'mine' } as const)
    const rate = { limit: 9, window: 30_000 }
    expect(compileRate(given)).toMatchObject({ by, cost, scope: 'global', name: 'mine', rate })
  })

  test.each([
    { name: 'the default', given: GIVEN, strategy: 'token-bucket', rate: { strategy: 'token-bucket', burst: 5 } },
    {
      name: 'its own before the default',
      given: { ...GIVEN, strategy: 'sliding-window' },
      strategy: 'token-bucket',
      rate: { strategy: 'sliding-window', burst: 5 },
    },
    {
      name: 'a bucket of its own size',
      given: { ...GIVEN, strategy: 'token-bucket', burst: 9 },
      strategy: 'sliding-window-counter',
      rate: { strategy: 'token-bucket', burst: 9 },
    },
  ] as const)('is counted by $name', ({ given, strategy, rate }) => {
    expect(compile(given, strategy)[0]).toMatchObject({ rate })
  })

  test.each([
    { lockout: 3600, end: NOON + 60 * MINUTE },
    { lockout: '1 hour', end: NOON + 60 * MINUTE },
    { lockout: '16:00', end: NOON + 240 * MINUTE },
    { lockout: '16:00', timeZone: 'Europe/Berlin', end: NOON + 180 * MINUTE },
    { lockout: '11:00', end: NOON + 23 * 60 * MINUTE },
  ])('locks out until the time it says: $lockout $timeZone', ({ end, ...lockout }) => {
    expect(compileRate({ ...GIVEN, ...lockout }).lockout?.(NOON)).toBe(end)
  })

  test('of requests at once has no window', () => {
    const expected = { kind: 'concurrent', by: 'ip', scope: 'path', name: 'ip-concurrent', concurrent: 3 } as const
    expect(compileOne({ concurrent: 3 })).toMatchObject(expected)
    expect(compileOne({ concurrent: 3, by: 'user', name: 'mine' })).toMatchObject({ by: 'user', name: 'mine' })
  })

  test('in a list keeps its place', () => {
    const policies = compile([{ limit: 10, window: '1s' }, { concurrent: 2 }, { limit: 1000, window: '1h' }])
    expect(policies.map(({ name }) => name)).toEqual(['ip-10-1s', 'ip-concurrent', 'ip-1000-1h'])
  })
})

describe('names', () => {
  test.each([
    [{ limit: 5, window: 60 }, 'ip-5-1m'],
    [{ limit: 5, window: '90s' }, 'ip-5-90s'],
    [{ limit: 5, window: '250ms' }, 'ip-5-250ms'],
    [{ limit: 1_000_000_000, window: '30 days', by: 'organization' }, 'organization-1000000000-30d'],
    [{ limit: 5, window: '1m', by: 'apiKey' }, 'apiKey-5-1m'],
  ] as const)('%j is called %j', (given, name) => {
    expect(compileOne(given).name).toBe(name)
  })

  test('of functions come from their source, so that they are the same after a restart', () => {
    const make = (header: string) => (context: LimitContext) => context.request.headers.get(header) ?? ''
    const names = [make('x-a'), make('x-b')].map((by) => compileOne({ ...GIVEN, by }).name)
    expect(names[0]).toMatch(/^custom-[0-9a-f]{6}-5-1m$/)
    expect(names[1]).toBe(names[0])
    expect(compileOne({ ...GIVEN, by: () => 'other' }).name).not.toBe(names[0])
    expect(compileOne({ concurrent: 1, by: make('x-a') }).name).toMatch(/^custom-[0-9a-f]{6}-concurrent$/)
  })
})

describe('what counts together', () => {
  const byHeader = (header: string) => (context: LimitContext) => context.request.headers.get(header) ?? ''
  const [byA, byB] = [byHeader('x-a'), byHeader('x-b')]
  const cost = () => 1

  const together: readonly (readonly [string, LimitPolicy, LimitPolicy])[] = [
    ['the same', GIVEN, { ...GIVEN }],
    ['what is default and what says so', GIVEN, { ...GIVEN, by: 'ip', scope: 'path', cost: 1, name: 'ip-5-1m' }],
    ['the default strategy and what names it', GIVEN, { ...GIVEN, strategy: 'sliding-window' }],
    ['a window as text and in seconds', GIVEN, { ...GIVEN, window: 60 }],
    [
      'a burst and the limit it equals',
      { ...GIVEN, strategy: 'token-bucket' },
      { ...GIVEN, strategy: 'token-bucket', burst: 5 },
    ],
    ['the same function', { ...GIVEN, by: byA }, { ...GIVEN, by: byA }],
    ['the same function for the cost', { ...GIVEN, cost }, { ...GIVEN, cost }],
    // Processes that load their modules in another order must share them.
    ['functions of one source', { ...GIVEN, by: byA }, { ...GIVEN, by: byB }],
    ['functions of one source for the cost', { ...GIVEN, cost }, { ...GIVEN, cost: () => 1 }],
    ['the same lockout', { ...GIVEN, lockout: '1h' }, { ...GIVEN, lockout: '1h' }],
    ['the same cap', { concurrent: 2 }, { concurrent: 2, by: 'ip' }],
  ]
  test.each(together)('%s', (_, one, other) => {
    expect(compileOne(other).fingerprint).toBe(compileOne(one).fingerprint)
  })

  const apart: readonly (readonly [string, LimitPolicy, LimitPolicy])[] = [
    ['another limit', GIVEN, { ...GIVEN, limit: 6 }],
    ['another window', GIVEN, { ...GIVEN, window: '61s' }],
    ['another subject', GIVEN, { ...GIVEN, by: 'user' }],
    ['another scope', GIVEN, { ...GIVEN, scope: 'global' }],
    ['another name', GIVEN, { ...GIVEN, name: 'other' }],
    ['another strategy', GIVEN, { ...GIVEN, strategy: 'token-bucket', name: 'ip-5-1m' }],
    ['another burst', { ...GIVEN, strategy: 'token-bucket' }, { ...GIVEN, strategy: 'token-bucket', burst: 6 }],
    ['another cost', GIVEN, { ...GIVEN, cost: 2 }],
    ['a lockout', GIVEN, { ...GIVEN, lockout: '1h' }],
    ["one in place of a key's own", { ...GIVEN, by: 'apiKey' }, { ...GIVEN, by: 'apiKey', override: true }],
    [
      'a lockout in another zone',
      { ...GIVEN, lockout: '16:00' },
      { ...GIVEN, lockout: '16:00', timeZone: 'Asia/Tokyo' },
    ],
    ['functions of another source', { ...GIVEN, by: byA, name: 'x' }, { ...GIVEN, by: () => 'a', name: 'x' }],
    ['functions for the cost', { ...GIVEN, cost }, { ...GIVEN, cost: () => 2 }],
    [
      'a function for the subject and for the cost',
      { ...GIVEN, by: byA, name: 'x' },
      { ...GIVEN, cost: byA as never, name: 'x' },
    ],
    ['a rate and a cap', { ...GIVEN, name: 'x' }, { concurrent: 5, name: 'x' }],
    ['another cap', { concurrent: 2, name: 'x' }, { concurrent: 3, name: 'x' }],
    ['a name that reads like more', { ...GIVEN, name: 'a' }, { ...GIVEN, name: 'a-ip-path' }],
  ]
  test.each(apart)('not %s', (_, one, other) => {
    expect(compileOne(other).fingerprint).not.toBe(compileOne(one).fingerprint)
  })
})

describe('lists that are put together, as those of a group and its route', () => {
  const byHeader = (header: string) => (context: LimitContext) => context.request.headers.get(header) ?? ''
  const listOf = (...headers: readonly string[]) =>
    compile(headers.map((header) => ({ ...GIVEN, by: byHeader(header) })))

  test('have each function of one source count, and each limit once', () => {
    const [group, route] = [listOf('x-a'), listOf('x-b', 'x-c')]
    const fingerprints = tellApart([...group, ...route, ...group]).map(({ fingerprint }) => fingerprint)
    expect(new Set(fingerprints).size).toBe(3)
    expect([fingerprints[0], fingerprints[3]]).toEqual([group[0]?.fingerprint, group[0]?.fingerprint])
    const again = tellApart([...listOf('x-a'), ...listOf('x-b', 'x-c')]).map(({ fingerprint }) => fingerprint)
    expect(again).toEqual(fingerprints.slice(0, 3))
  })

  test('are what they were where nothing need be told apart', () => {
    const policies = compile([GIVEN, { ...GIVEN, limit: 6 }])
    expect(tellApart(policies)).toEqual(policies)
  })
})

describe('what a handler writes, anew for every request', () => {
  const write = (given: RateLimitInput) => compilePolicies(given, 'sliding-window', 'auth.rateLimit')[0]?.fingerprint

  test('counts together by its source', () => {
    const inHandler = () => write({ ...GIVEN, by: ({ address }) => `a ${address}`, cost: () => 2 })
    expect(inHandler()).toBe(inHandler() ?? '')
    expect(write({ ...GIVEN, by: ({ address }) => `b ${address}`, cost: () => 2 })).not.toBe(inHandler())
    expect(write({ ...GIVEN, by: ({ address }) => `a ${address}`, cost: () => 3 })).not.toBe(inHandler())
  })

  test('counts apart in one list where one function made them, and once where they are the same', () => {
    const byHeader = (header: string) => (context: LimitContext) => context.request.headers.get(header) ?? ''
    const by = byHeader('x-a')
    const given = [by, byHeader('x-b'), by, byHeader('x-c')].map((each) => ({ ...GIVEN, by: each }))
    const inHandler = () =>
      compilePolicies(given, 'sliding-window', 'auth.rateLimit').map(({ fingerprint }) => fingerprint)
    const [a, b, again, c] = inHandler()
    expect(new Set([a, b, c]).size).toBe(3)
    expect(again).toBe(a ?? '')
    expect(inHandler()).toEqual([a, b, again, c] as string[])
    expect(write({ ...GIVEN, by: byHeader('x-d') })).toBe(a ?? '')
  })

  test('counts apart from what reads like it and is no function', () => {
    const cost = () => 1
    expect(write({ ...GIVEN, cost, name: 'x' })).not.toBe(write({ ...GIVEN, name: 'x' }))
    expect(write(GIVEN)).toBe(compileOne(GIVEN).fingerprint)
  })
})

describe('mistakes', () => {
  const DURATION =
    "a whole number of seconds, or text such as '250ms', '30s', '15m', '1 hour', '30 days', '2 weeks', up to 100 years"
  const LOCKOUT = `a duration above zero (${DURATION}), or a time of day at which it ends, such as '16:00', '4 PM' or '4:30 PM'`
  const POLICY =
    "a limit { limit, window, by?, strategy?, burst?, cost?, lockout?, timeZone?, override?, scope?, name? } such as { limit: 60, window: '1m' }, or { concurrent, by?, scope?, name? }"
  const BY = "'ip', 'apiKey', 'user', 'organization' or a function (context) => text"
  const LIMIT = 'a whole number from 1 to 1000000000'
  const NAME = "1 to 64 letters, digits, '-' and '_'"
  const COST = 'a whole number from 0, or a function (context) => number'

  const mistakes: readonly (readonly [given: unknown, ...lines: string[]])[] = [
    [undefined, `rateLimit: given nothing; accepted: ${POLICY}`],
    [null, `rateLimit: given null; accepted: ${POLICY}`],
    [60, `rateLimit: given a number; accepted: ${POLICY}`],
    ['60/1m', `rateLimit: given a text; accepted: ${POLICY}`],
    [[], 'rateLimit: name at least one limit; an empty list would limit nothing'],
    [[[GIVEN]], `rateLimit[0]: given a list; accepted: ${POLICY}`],
    [[GIVEN, null], `rateLimit[1]: given null; accepted: ${POLICY}`],
    [
      {},
      `rateLimit.limit: given nothing; accepted: ${LIMIT}`,
      `rateLimit.window: given nothing; accepted: ${DURATION}, above zero`,
    ],
    [{ ...GIVEN, limit: 0 }, `rateLimit.limit: given 0; accepted: ${LIMIT}`],
    [{ ...GIVEN, limit: 1.5 }, `rateLimit.limit: given 1.5; accepted: ${LIMIT}`],
    [{ ...GIVEN, limit: 1e9 + 1 }, `rateLimit.limit: given 1000000001; accepted: ${LIMIT}`],
    [{ ...GIVEN, limit: Number.NaN }, `rateLimit.limit: given NaN; accepted: ${LIMIT}`],
    [{ ...GIVEN, limit: '5' }, `rateLimit.limit: given "5"; accepted: ${LIMIT}`],
    [{ ...GIVEN, window: '0s' }, `rateLimit.window: given "0s"; accepted: ${DURATION}, above zero`],
    [{ ...GIVEN, window: 'soon' }, `rateLimit.window: given "soon"; accepted: ${DURATION}, above zero`],
    [{ ...GIVEN, by: 'session' }, `rateLimit.by: given "session"; accepted: ${BY}`],
    [{ ...GIVEN, scope: 'route' }, `rateLimit.scope: given "route"; accepted: 'path' or 'global'`],
    [
      { ...GIVEN, strategy: 'fixed' },
      `rateLimit.strategy: given "fixed"; accepted: 'sliding-window' or 'sliding-window-counter' or 'token-bucket'`,
    ],
    [{ ...GIVEN, name: 'a"b' }, `rateLimit.name: given "a\\"b"; accepted: ${NAME}`],
    [{ ...GIVEN, name: '' }, `rateLimit.name: given an empty text; accepted: ${NAME}`],
    [{ ...GIVEN, cost: -1 }, `rateLimit.cost: given -1; accepted: ${COST}`],
    [{ ...GIVEN, cost: 0.5 }, `rateLimit.cost: given 0.5; accepted: ${COST}`],
    [{ ...GIVEN, lockout: '25:99' }, `rateLimit.lockout: given "25:99"; accepted: ${LOCKOUT}`],
    [{ ...GIVEN, lockout: 'soon' }, `rateLimit.lockout: given "soon"; accepted: ${LOCKOUT}`],
    [{ ...GIVEN, lockout: 0 }, `rateLimit.lockout: given 0; accepted: ${LOCKOUT}`],
    [
      { ...GIVEN, lockout: '16:00', timeZone: 'Mars' },
      `rateLimit.timeZone: given "Mars"; accepted: an IANA time zone such as 'Europe/Berlin'`,
    ],
    [{ ...GIVEN, every: 1 }, 'rateLimit.every: there is no such member'],
    [{ ...GIVEN, burst: 9 }, "rateLimit: burst is for strategy: 'token-bucket'"],
    [{ ...GIVEN, cost: 6 }, 'rateLimit: a cost of 6 never fits into 5'],
    [{ ...GIVEN, strategy: 'token-bucket', burst: 3, cost: 4 }, 'rateLimit: a cost of 4 never fits into 3'],
    [{ ...GIVEN, timeZone: 'UTC' }, 'rateLimit: timeZone is for a lockout until a time of day'],
    [{ ...GIVEN, lockout: 60, timeZone: 'UTC' }, 'rateLimit: timeZone is for a lockout until a time of day'],
    [{ ...GIVEN, by: 'apiKey', override: false }, 'rateLimit.override: given false; accepted: true'],
    [{ ...GIVEN, override: true }, "rateLimit: override is for by: 'apiKey': it takes the place of a key's own limit"],
    [{ concurrent: 0 }, 'rateLimit.concurrent: given 0; accepted: a whole number from 1 to 1000000'],
    [{ concurrent: 1, limit: 5 }, 'rateLimit.limit: there is no such member'],
    [
      [{ ...GIVEN, limit: 0 }, GIVEN, { concurrent: 'x', by: 1 }],
      `rateLimit[0].limit: given 0; accepted: ${LIMIT}`,
      'rateLimit[2].concurrent: given "x"; accepted: a whole number from 1 to 1000000',
      `rateLimit[2].by: given 1; accepted: ${BY}`,
    ],
  ]
  test.each(mistakes)('%j', (given, ...lines) => {
    const attempt = () => compile(given as RateLimitInput)
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(new TypeError(lines.join('\n')))
  })

  test('name where the limit was written', () => {
    expect(() => compilePolicies({ ...GIVEN, limit: 0 }, 'sliding-window', 'rateLimit.default')).toThrow(
      `rateLimit.default.limit: given 0; accepted: ${LIMIT}`,
    )
  })
})
