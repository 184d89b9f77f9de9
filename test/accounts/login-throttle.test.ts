import { describe, expect, test } from 'bun:test'
import { LoginThrottle, type LoginThrottleOptions, waitAfter } from '../../src/accounts/login-throttle.ts'
import { createMemoryStorage, type MemoryStorage } from '../support/memory-storage.ts'
import { expectRefused } from '../support/refusals.ts'
import { START } from '../support/services.ts'
import { until } from '../support/until.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const WINDOW = 15 * MINUTE
const ALICE = 'alice@example.com'
const HOME = '203.0.113.5'
const ELSEWHERE = '198.51.100.7'

/** A different stranger each time. */
let strangers = 0
const aStranger = () => {
  strangers += 1
  return `10.${strangers >> 16}.${(strangers >> 8) & 255}.${strangers & 255}`
}

function withThrottle(more: Partial<LoginThrottleOptions> & { readonly storage?: MemoryStorage } = {}) {
  const time = { now: START }
  const clock = () => time.now
  const storage = more.storage ?? createMemoryStorage(clock)
  const throttle = new LoginThrottle({
    store: storage.loginAddresses,
    clock,
    rate: { limit: 5, window: WINDOW },
    capacity: 1000,
    nameKey: new Uint8Array(32).fill(7),
    meter: null,
    ...more,
  })
  const verified: string[] = []
  /** How an attempt ends: a wrong password, a right one, or how long to wait (s). */
  async function attempt(address: string | null, password: 'right' | 'wrong', email = ALICE): Promise<string | number> {
    const run = throttle.run(email, address, async () => {
      verified.push(`${email} ${address}`)
      for (let turn = 0; turn < 10; turn++) await null
      return password === 'right' ? 'proven' : null
    })
    const outcome = await run.catch((error: unknown) => error)
    if (outcome === null) return 'wrong'
    if (outcome === 'proven') return 'right'
    return (await expectRefused(Promise.reject(outcome), 'locked_out')).extras.retryAfter ?? 'never'
  }
  async function failFrom(addresses: readonly (string | null)[], email = ALICE): Promise<void> {
    for (const address of addresses) expect(await attempt(address, 'wrong', email)).toBe('wrong')
  }
  const fail = (address: string | null, times: number, email = ALICE) =>
    failFrom(Array<string | null>(times).fill(address), email)
  /** So many failures of addresses that never come again, each when its turn has come. */
  async function failElsewhere(times: number, email = ALICE): Promise<void> {
    for (let failures = 0; failures < times; failures++) {
      time.now += waitAfter(failures)
      await fail(aStranger(), 1, email)
    }
  }
  return { time, storage, throttle, verified, attempt, fail, failFrom, failElsewhere }
}

describe('an address', () => {
  test('has five failures in 15 minutes; the sixth attempt is locked out, also with the right password', async () => {
    const { attempt, fail, verified } = withThrottle()
    await fail(HOME, 5)
    for (const password of ['wrong', 'right'] as const) expect(await attempt(HOME, password)).toBe(WINDOW / SECOND)
    expect(await attempt(HOME, 'right', 'other@example.com')).toBe(WINDOW / SECOND)
    expect(verified).toHaveLength(5)
  })

  test('gets its attempts back one by one, when each failure is 15 minutes old', async () => {
    const { attempt, fail, time } = withThrottle()
    for (let failures = 0; failures < 5; failures++) {
      await fail(HOME, 1, `${failures}@example.com`)
      time.now += MINUTE
    }
    expect(await attempt(HOME, 'wrong')).toBe(10 * 60)
    time.now = START + WINDOW - 1
    expect(await attempt(HOME, 'wrong')).toBe(0.001)
    time.now = START + WINDOW
    expect(await attempt(HOME, 'wrong')).toBe('wrong')
    expect(await attempt(HOME, 'wrong')).toBe(60)
  })

  test('pays for no other, and not for what was refused', async () => {
    const { attempt, fail, time } = withThrottle()
    await fail(HOME, 5)
    for (let times = 0; times < 100; times++) await attempt(HOME, 'wrong')
    expect(await attempt(ELSEWHERE, 'right')).toBe('right')
    time.now += WINDOW
    expect(await attempt(HOME, 'right')).toBe('right')
  })

  test('may log in as often as it likes, and success makes up for no failure', async () => {
    const { attempt, fail } = withThrottle()
    await fail(HOME, 4)
    for (let times = 0; times < 50; times++) expect(await attempt(HOME, 'right')).toBe('right')
    await fail(HOME, 1)
    expect(await attempt(HOME, 'right')).toBe(WINDOW / SECOND)
  })

  test.each([
    { name: 'IPv4, however it is written', addresses: ['203.0.113.5', '::ffff:203.0.113.5'], other: '203.0.113.6' },
    {
      name: 'the /64 of IPv6',
      addresses: ['2001:db8::1', '2001:db8::2', '2001:db8::ffff:3'],
      other: '2001:db8:0:1::1',
    },
    { name: 'all that is unknown', addresses: [null], other: HOME },
  ])('is one for $name', async ({ addresses, other }) => {
    const { attempt, failFrom } = withThrottle()
    await failFrom(Array.from({ length: 5 }, (_, index) => addresses[index % addresses.length] ?? null))
    for (const address of addresses) expect(await attempt(address, 'right')).toBe(WINDOW / SECOND)
    expect(await attempt(other, 'right')).toBe('right')
  })

  test('is counted for no attempt that storage had no answer for', async () => {
    const { storage, attempt, fail, failElsewhere } = withThrottle()
    await failElsewhere(10)
    for (let times = 0; times < 10; times++) {
      storage.before.set('loginAddresses.knows', () => {
        throw new Error('storage is away')
      })
      await expect(attempt(HOME, 'wrong')).rejects.toThrow('storage is away')
    }
    await fail(HOME, 5, 'other@example.com')
  })
})

describe('a verification that throws', () => {
  const atFault = (throttle: LoginThrottle, address: string, email = ALICE) =>
    throttle.run(email, address, () => Promise.reject(new Error('the hasher is away')))

  test('is no failure of the address, nor of the account', async () => {
    const { throttle, attempt, fail } = withThrottle()
    for (let times = 0; times < 50; times++) await expect(atFault(throttle, HOME)).rejects.toThrow('the hasher is away')
    await fail(HOME, 5)
    expect(await attempt(HOME, 'right')).toBe(WINDOW / SECOND)
    expect(await attempt(ELSEWHERE, 'right')).toBe('right')
  })

  test('makes room for those who wait for its outcome', async () => {
    const { throttle, attempt } = withThrottle()
    const faults = Array.from({ length: 30 }, () => atFault(throttle, HOME))
    const logins = Array.from({ length: 30 }, () => attempt(HOME, 'right'))
    expect(new Set((await Promise.allSettled(faults)).map(({ status }) => status))).toEqual(new Set(['rejected']))
    expect(new Set(await Promise.all(logins))).toEqual(new Set(['right']))
  })

  test("ends a stranger's turn without making the next one wait longer", async () => {
    const { throttle, attempt, failElsewhere, time } = withThrottle()
    await failElsewhere(10)
    time.now += SECOND
    for (let times = 0; times < 3; times++) await expect(atFault(throttle, aStranger())).rejects.toThrow('is away')
    expect(await attempt(aStranger(), 'right')).toBe('right')
  })

  test('remembers no address', async () => {
    const { throttle, storage } = withThrottle()
    await expect(atFault(throttle, HOME)).rejects.toThrow('the hasher is away')
    expect(storage.rows.loginAddresses.size).toBe(0)
  })
})

describe('at the same moment', () => {
  test('50 wrong guesses of one address verify five passwords', async () => {
    const { attempt, verified } = withThrottle()
    const guesses = Array.from({ length: 50 }, (_, index) => attempt(HOME, 'wrong', `${index % 7}@example.com`))
    const outcomes = await Promise.all(guesses)
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(5)
    expect(outcomes.filter((outcome) => outcome === WINDOW / SECOND)).toHaveLength(45)
    expect(verified).toHaveLength(5)
  })

  test('50 right logins of an office behind one address all succeed', async () => {
    const { attempt } = withThrottle()
    const logins = Array.from({ length: 50 }, (_, index) => attempt(HOME, 'right', `${index}@example.com`))
    expect(new Set(await Promise.all(logins))).toEqual(new Set(['right']))
  })

  test('right logins succeed among wrong guesses until those are five', async () => {
    const { attempt, verified } = withThrottle()
    const attempts = Array.from({ length: 40 }, (_, index) =>
      attempt(HOME, index < 4 ? 'wrong' : 'right', `${index}@example.com`),
    )
    const outcomes = await Promise.all(attempts)
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(4)
    expect(outcomes.filter((outcome) => outcome === 'right')).toHaveLength(36)
    expect(verified).toHaveLength(40)
  })

  test('of 100 that may fail eight are verified at once, and other addresses beside them', async () => {
    const { throttle } = withThrottle({ rate: { limit: 100, window: WINDOW } })
    const gate = Promise.withResolvers<string>()
    const verified: string[] = []
    const run = (email: string, address: string) =>
      throttle.run(email, address, () => {
        verified.push(address)
        return gate.promise
      })
    const flood = Array.from({ length: 100 }, (_, index) => run(`${index}@example.com`, HOME))
    const other = run(ALICE, ELSEWHERE)
    await until(() => verified.includes(ELSEWHERE))
    expect(verified.filter((address) => address === HOME)).toHaveLength(8)
    gate.resolve('proven')
    expect(new Set(await Promise.all([...flood, other]))).toEqual(new Set(['proven']))
    expect(verified).toHaveLength(101)
  })

  test('256 of one address wait besides the eight that may be verified, and more are refused without waiting', async () => {
    const { throttle } = withThrottle()
    const gate = Promise.withResolvers<string>()
    const run = (address: string) => throttle.run(aStranger(), address, () => gate.promise)
    const admitted = Array.from({ length: 8 + 256 }, () => run(HOME))
    for (let more = 0; more < 3; more++) {
      const refusal = await expectRefused(run(HOME), 'rate_limited')
      expect([refusal.headers['retry-after'], refusal.retryable]).toEqual(['1', true])
    }
    const other = run(ELSEWHERE)
    gate.resolve('proven')
    expect(new Set(await Promise.all([...admitted, other]))).toEqual(new Set(['proven']))
  })

  test('one that waits is verified when the first of the others has ended, not the last', async () => {
    const { throttle, attempt } = withThrottle()
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<string>())
    const slow = gates.map(({ promise }, index) => throttle.run(`${index}@example.com`, HOME, () => promise))
    const next = attempt(HOME, 'right')
    gates[0]?.resolve('proven')
    expect(await next).toBe('right')
    for (const { resolve } of gates) resolve('proven')
    expect(await Promise.all(slow)).toEqual(Array<string>(5).fill('proven'))
  })

  test('200 strangers guess ten passwords of one account, and then wait', async () => {
    const { attempt, verified } = withThrottle()
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => attempt(aStranger(), 'wrong')))
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(10)
    expect(outcomes.filter((outcome) => outcome === 1)).toHaveLength(190)
    expect(verified).toHaveLength(10)
  })

  test('100 strangers who know the password of one account all log in', async () => {
    const { attempt } = withThrottle()
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => attempt(aStranger(), 'right')))
    expect(new Set(outcomes)).toEqual(new Set(['right']))
  })
})

describe('an account', () => {
  test.each([
    [0, 0],
    [9, 0],
    [10, 1],
    [11, 2],
    [12, 4],
    [13, 8],
    [14, 16],
    [15, 32],
    [16, 60],
    [17, 60],
    [100, 60],
    [1_000_000, 60],
  ])('after %p failures strangers wait %p s', (failures, seconds) => {
    expect(waitAfter(failures)).toBe(seconds * SECOND)
  })

  test('makes strangers wait from the tenth failure on, for 1, 2, 4 … 60 s from the last one', async () => {
    const { attempt, fail, failElsewhere, time, verified } = withThrottle()
    await failElsewhere(10)
    for (const wait of [1, 2, 4, 8, 16, 32, 60, 60]) {
      expect(await attempt(aStranger(), 'right')).toBe(wait)
      time.now += wait * SECOND - 1
      expect(await attempt(aStranger(), 'right')).toBe(0.001)
      time.now += 1
      await fail(aStranger(), 1)
    }
    expect(verified).toHaveLength(18)
  })

  test('lets the owner in from where he logged in before, whatever others do', async () => {
    const { attempt, failElsewhere } = withThrottle()
    expect(await attempt(HOME, 'right')).toBe('right')
    await failElsewhere(20)
    for (let times = 0; times < 5; times++) expect(await attempt(HOME, 'right')).toBe('right')
    expect(await attempt(HOME, 'wrong')).toBe('wrong')
    expect(await attempt(HOME, 'right')).toBe('right')
    expect(await attempt(ELSEWHERE, 'right')).toBe(60)
  })

  test('knows the owner also after a restart, and from every address of his /64', async () => {
    const before = withThrottle()
    expect(await before.attempt('2001:db8::1', 'right')).toBe('right')
    const { storage } = before
    const after = withThrottle({ storage })
    await after.failElsewhere(12)
    expect(await after.attempt('2001:db8::2', 'right')).toBe('right')
    expect(await after.attempt('2001:db8:0:1::1', 'right')).toBe(4)
  })

  test('knows him no better for a wrong password, or at another account', async () => {
    const { attempt, fail, failElsewhere } = withThrottle()
    await fail(HOME, 1)
    expect(await attempt(HOME, 'right', 'other@example.com')).toBe('right')
    await failElsewhere(9)
    expect(await attempt(HOME, 'right')).toBe(1)
  })

  test('lets in who cannot be written down', async () => {
    const { storage, attempt } = withThrottle()
    storage.before.set('loginAddresses.remember', () => {
      throw new Error('disk full')
    })
    expect(await attempt(HOME, 'right')).toBe('right')
    expect(storage.rows.loginAddresses.size).toBe(0)
  })

  test('verifies one stranger at a time, and the next when he was right', async () => {
    const { attempt, failElsewhere, time, verified } = withThrottle()
    await failElsewhere(10)
    time.now += SECOND
    verified.length = 0
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => attempt(aStranger(), 'right')))
    expect(outcomes).toEqual(['right', ...Array<number>(29).fill(1)])
    expect(verified).toHaveLength(1)
    expect(await attempt(aStranger(), 'right')).toBe('right')
  })

  test.each(['bob@example.com', 'alice@example.co', 'alice@example.com.', ''])(
    'does not have strangers wait at %j for what others did at another',
    async (email) => {
      const { attempt, failElsewhere } = withThrottle()
      await failElsewhere(20)
      expect(await attempt(aStranger(), 'right', email)).toBe('right')
    },
  )

  test('forgets failures after 15 minutes', async () => {
    const { attempt, failElsewhere, time } = withThrottle()
    await failElsewhere(9)
    time.now += WINDOW - 1
    await failElsewhere(1)
    expect(await attempt(aStranger(), 'right')).toBe(1)
    time.now += 1
    expect(await attempt(aStranger(), 'right')).toBe('right')
  })

  test('has strangers wait from the last of more failures than are counted', async () => {
    const { attempt, fail, time } = withThrottle()
    const known = Array.from({ length: 30 }, aStranger)
    for (const address of known) await attempt(address, 'right')
    for (const address of known.slice(0, 20)) await fail(address, 5)
    expect(await attempt(aStranger(), 'wrong')).toBe(60)
    time.now += 50 * SECOND
    for (const address of known.slice(20)) await fail(address, 5)
    time.now += 59 * SECOND
    expect(await attempt(aStranger(), 'wrong')).toBe(1)
    time.now += WINDOW - 60 * SECOND
    await fail(aStranger(), 1)
    expect(await attempt(aStranger(), 'wrong')).toBe(60)
  })
})

describe('what is remembered', () => {
  test('names no account, and no more than 32 addresses of each', async () => {
    const { attempt, storage, time } = withThrottle()
    for (let logins = 0; logins < 40; logins++) {
      time.now += 1
      await attempt(`10.9.0.${logins}`, 'right')
    }
    const rows = [...storage.rows.loginAddresses.values()]
    expect(rows.map(({ address }) => address).sort()).toEqual(
      Array.from({ length: 32 }, (_, index) => `ip:10.9.0.${index + 8}`).sort(),
    )
    expect(new Set(rows.map(({ account }) => account)).size).toBe(1)
    for (const { account } of rows) expect(account).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(JSON.stringify(rows)).not.toMatch(/alice|example/)
  })

  test('of another secret is nobody', async () => {
    const before = withThrottle()
    await before.attempt(HOME, 'right')
    const after = withThrottle({ storage: before.storage, nameKey: new Uint8Array(32).fill(8) })
    await after.failElsewhere(10)
    expect(await after.attempt(HOME, 'right')).toBe(1)
  })

  test('is bounded: newcomers beyond it share five failures, whoever was counted before keeps his own', async () => {
    const { attempt, fail } = withThrottle({ capacity: 20 })
    await fail(HOME, 4, 'home@example.com')
    for (let index = 0; index < 19; index++) await fail(aStranger(), 1, `${index}@example.com`)
    for (let index = 0; index < 5; index++) await fail(aStranger(), 1, `more-${index}@example.com`)
    expect(await attempt(aStranger(), 'right', 'last@example.com')).toBe(WINDOW / SECOND)
    await fail(HOME, 1, 'home@example.com')
    expect(await attempt(HOME, 'right', 'home@example.com')).toBe(WINDOW / SECOND)
  })
})
