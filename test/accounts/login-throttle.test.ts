/** SECURITY P41, P42: guessing is slow, and the owner is never locked out by those who guess. */
import { describe, expect, test } from 'bun:test'
import { LoginThrottle, waitAfter } from '../../src/accounts/login-throttle.ts'
import { MachineAuthError } from '../../src/errors.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'

const START = Date.UTC(2030, 0, 1)
const WINDOW = 900_000
const OWNER = 'alice@example.com'

function setUp() {
  const time = { now: START }
  const clock = () => time.now
  const { loginAddresses: store } = createMemoryStorage(clock)
  const create = () =>
    new LoginThrottle({
      store,
      clock,
      rate: { limit: 5, window: WINDOW },
      capacity: 1000,
      nameKey: new Uint8Array(32),
    })
  let verified = 0
  const attempt = (throttle: LoginThrottle, isRight: boolean, email: string, address: string | null) =>
    throttle
      .run(email, address, async () => {
        verified += 1
        await Promise.resolve()
        return isRight ? 'user' : null
      })
      .then(
        (user) => (user === null ? 'wrong' : 'right'),
        (error: unknown) => {
          if (!(error instanceof MachineAuthError)) throw error
          return `${error.code} ${error.extras.retryAfter}`
        },
      )
  const throttle = create()
  return {
    time,
    store,
    create,
    throttle,
    verified: () => verified,
    wrong: (address: string | null = '203.0.113.1', email = OWNER) => attempt(throttle, false, email, address),
    right: (address: string | null = '203.0.113.1', email = OWNER, by = throttle) => attempt(by, true, email, address),
  }
}

/** Fails from as many addresses as it takes. */
async function failDistributed({ wrong }: ReturnType<typeof setUp>, failures: number, email = OWNER): Promise<void> {
  for (let index = 0; index < failures; index++) expect(await wrong(`198.51.100.${index}`, email)).toBe('wrong')
}

describe('one address', () => {
  test('is locked out by five failures, also with the right password, until the first has left the window', async () => {
    const t = setUp()
    for (let failure = 0; failure < 5; failure++) {
      expect(await t.wrong()).toBe('wrong')
      t.time.now += 1000
    }
    expect(await t.wrong()).toBe('locked_out 895')
    expect(await t.right()).toBe('locked_out 895')
    expect(t.verified()).toBe(5)
    t.time.now = START + WINDOW - 1
    expect(await t.right()).toBe('locked_out 0.001')
    t.time.now = START + WINDOW
    expect(await t.right()).toBe('right')
  })

  test.each([
    ['another one', '203.0.113.1', '203.0.113.2', 'right'],
    ['another of the same /64', '2001:db8::1', '2001:db8::ffff', 'locked_out 900'],
    ['one of the next /64', '2001:db8::1', '2001:db8:0:1::1', 'right'],
    ['the same, mapped into IPv6', '203.0.113.1', '::ffff:203.0.113.1', 'locked_out 900'],
    ['another unknown one', null, null, 'locked_out 900'],
    ['a known one beside an unknown one', null, '203.0.113.1', 'right'],
  ])('means for %s what it should', async (_, failing, asking, said) => {
    const t = setUp()
    for (let failure = 0; failure < 5; failure++) await t.wrong(failing, `user${failure}@example.com`)
    expect(await t.right(asking)).toBe(said)
  })

  test('is not counted for what succeeds, or fails for another reason than the password', async () => {
    const t = setUp()
    for (let round = 0; round < 20; round++) {
      expect(await t.right()).toBe('right')
      const away = t.throttle.run(OWNER, '203.0.113.1', () => Promise.reject(new Error('the database is away')))
      await expect(away).rejects.toThrow('away')
    }
    expect(await t.wrong()).toBe('wrong')
  })

  test('has no more than five wrong guesses verified, however many come at once', async () => {
    const t = setUp()
    const said = await Promise.all(Array.from({ length: 50 }, () => t.wrong()))
    expect(t.verified()).toBe(5)
    expect(said.filter((each) => each === 'wrong')).toHaveLength(5)
    expect(said.filter((each) => each.startsWith('locked_out'))).toHaveLength(45)
  })

  test('lets a whole office log in at once', async () => {
    const t = setUp()
    const logins = Array.from({ length: 30 }, (_, index) => t.right('203.0.113.1', `user${index}@example.com`))
    expect(new Set(await Promise.all(logins))).toEqual(new Set(['right']))
  })
})

describe('one account', () => {
  test.each([
    [0, 0],
    [9, 0],
    [10, 1000],
    [11, 2000],
    [12, 4000],
    [15, 32_000],
    [16, 60_000],
    [100, 60_000],
  ])('after %d failures strangers wait %d ms', (failures, wait) => {
    expect(waitAfter(failures)).toBe(wait)
  })

  test('has strangers wait from the tenth failure on, longer after each, and lets them in when they know', async () => {
    const t = setUp()
    await failDistributed(t, 10)
    expect(await t.right('203.0.113.7')).toBe('locked_out 1')
    t.time.now += 1000
    expect(await t.wrong('203.0.113.8')).toBe('wrong')
    expect(await t.right('203.0.113.7')).toBe('locked_out 2')
    t.time.now += 2000
    expect(await t.right('203.0.113.7')).toBe('right')
  })

  test('never has an address wait that logged in before, not even after a restart', async () => {
    const t = setUp()
    expect(await t.right('203.0.113.1')).toBe('right')
    await failDistributed(t, 40).catch(() => undefined)
    expect(await t.right('203.0.113.1')).toBe('right')
    const restarted = t.create()
    for (let failure = 0; failure < 12; failure++) {
      await restarted.run(OWNER, `198.51.100.${failure}`, async () => null).catch(() => undefined)
    }
    expect(await t.right('203.0.113.9', OWNER, restarted)).toStartWith('locked_out')
    expect(await t.right('203.0.113.1', OWNER, restarted)).toBe('right')
  })

  test('verifies one stranger at a time', async () => {
    const t = setUp()
    await failDistributed(t, 10)
    t.time.now += 1000
    const before = t.verified()
    const said = await Promise.all(Array.from({ length: 20 }, (_, index) => t.wrong(`192.0.2.${index}`)))
    expect(t.verified() - before).toBe(1)
    expect(said.filter((each) => each.startsWith('locked_out'))).toHaveLength(19)
  })

  test('that nobody has answers no differently', async () => {
    const t = setUp()
    await failDistributed(t, 10, 'nobody@example.com')
    expect(await t.wrong('203.0.113.7', 'nobody@example.com')).toBe('locked_out 1')
    expect(await t.right('203.0.113.7', 'somebody@example.com')).toBe('right')
  })

  test('is kept under a name that is no e-mail address', async () => {
    const t = setUp()
    const names: string[] = []
    const { store } = t
    const throttle = new LoginThrottle({
      store: { ...store, remember: async (account) => void names.push(account) },
      clock: () => START,
      rate: { limit: 5, window: WINDOW },
      capacity: 10,
      nameKey: new Uint8Array(32),
    })
    await throttle.run(OWNER, '203.0.113.1', async () => 'user')
    expect(names).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{43}$/)])
  })
})
