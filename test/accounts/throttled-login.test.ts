/** SECURITY.md P40, P41 and P42 at the service: what it verifies, whom it lets in, and what it says. */
import { describe, expect, test } from 'bun:test'
import { MachineAuthError } from '../../src/errors.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { createFakeHasher, createServices } from '../support/services.ts'

const ALICE = 'alice@example.com'
const NOBODY = 'nobody@example.com'
const PASSWORD = 'correct horse'
const HOME = '203.0.113.5'
const WINDOW = 900_000

async function withAlice() {
  const hasher = createFakeHasher()
  const services = createServices({ hasher, throttle: { rate: { limit: 5, window: WINDOW } } })
  await services.users.create({ email: ALICE, password: PASSWORD })
  const login = (email: string, password: string, address: string | null = HOME) =>
    services.login.verify(email, password, { address })
  /** `in`, or the code of the refusal. */
  const said = (email: string, password: string, address: string | null = HOME) =>
    login(email, password, address).then(
      () => 'in',
      (error: unknown) => {
        if (error instanceof MachineAuthError) return error.code
        throw error
      },
    )
  return { services, hasher, login, said }
}

const addressOf = (index: number) => `10.1.${index >> 8}.${index & 255}`

describe('P41 guessing passwords', () => {
  test('of 1000 guesses of one address five are verified, the sixth hears how long to wait', async () => {
    const { login, said, hasher } = await withAlice()
    for (let guess = 0; guess < 5; guess++) expect(await said(ALICE, `guess ${guess}`)).toBe('login_failed')
    const refused = await expectRefused(login(ALICE, 'guess 5'), 'locked_out')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '900'])
    for (let guess = 6; guess < 1000; guess++) expect(await said(ALICE, `guess ${guess}`)).toBe('locked_out')
    expect(await said(ALICE, PASSWORD)).toBe('locked_out')
    expect(hasher.calls.verify).toBe(5)
  })

  test('of 50 at the same moment five are verified', async () => {
    const { said, hasher } = await withAlice()
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, guess) => said(ALICE, `guess ${guess}`)))
    expect(outcomes.filter((outcome) => outcome === 'login_failed')).toHaveLength(5)
    expect(outcomes.filter((outcome) => outcome === 'locked_out')).toHaveLength(45)
    expect(hasher.calls.verify).toBe(5)
  })

  test('ten people behind one address log in at the same moment', async () => {
    const { services, said } = await withAlice()
    const emails = Array.from({ length: 10 }, (_, index) => `person-${index}@example.com`)
    for (const email of emails) await services.users.create({ email, password: PASSWORD })
    expect(await Promise.all(emails.map((email) => said(email, PASSWORD)))).toEqual(Array<string>(10).fill('in'))
  })

  test.each([
    ['one after the other', false],
    ['at the same moment', true],
  ])(
    'of 200 addresses that guess for one account %s, ten are verified and the others wait a second',
    async (_, atOnce) => {
      const { services, hasher, login } = await withAlice()
      const guess = (index: number) =>
        login(ALICE, `guess ${index}`, addressOf(index)).catch((error: MachineAuthError) => error)
      const outcomes: unknown[] = []
      if (atOnce) outcomes.push(...(await Promise.all(Array.from({ length: 200 }, (_, index) => guess(index)))))
      else for (let index = 0; index < 200; index++) outcomes.push(await guess(index))
      const waits = outcomes.map((error) => (error instanceof MachineAuthError ? error.headers['retry-after'] : 'in'))
      expect(waits).toEqual([...Array<undefined>(10).fill(undefined), ...Array<string>(190).fill('1')] as string[])
      expect(hasher.calls.verify).toBe(10)
      // In the next hour there is no more than one a minute, from however many addresses.
      let verified = 0
      for (let second = 0; second < 3600; second += 1) {
        services.time.now += 1000
        const before = hasher.calls.verify
        await guess(1000 + second)
        verified += hasher.calls.verify - before
      }
      expect(verified).toBeLessThan(60 + 10 * 4)
    },
  )
})

test('P42 the owner logs in from his own address while another guesses', async () => {
  const { said, services } = await withAlice()
  expect(await said(ALICE, PASSWORD)).toBe('in')
  for (let guess = 0; guess < 300; guess++) {
    services.time.now += 5000
    await said(ALICE, 'wrong', addressOf(guess))
    expect(await said(ALICE, PASSWORD)).toBe('in')
  }
  expect(await said(ALICE, PASSWORD, '198.51.100.7')).toBe('locked_out')
})

test('P40 an unknown e-mail is throttled as a known one is, to the byte', async () => {
  const seen: string[][] = []
  for (const email of [ALICE, NOBODY, 'no address']) {
    const { services, hasher, login } = await withAlice()
    const outcomes: string[] = []
    for (let guess = 0; guess < 40; guess++) {
      services.time.now += 3000
      services.memory.calls.length = 0
      const address = guess < 8 ? HOME : addressOf(guess)
      const error = await login(email, 'wrong', address).catch((reason: MachineAuthError) => reason)
      if (!(error instanceof MachineAuthError)) throw new Error('logged in')
      const asked = services.memory.calls.filter((call) => call !== 'users.findByEmail')
      outcomes.push(JSON.stringify([error.toProblem(), error.headers, asked, hasher.calls.verify]))
    }
    expect(outcomes.filter((outcome) => outcome.includes('locked_out')).length).toBeGreaterThan(10)
    seen.push(outcomes)
  }
  expect(seen[1]).toEqual(seen[0] as string[])
  expect(seen[2]).toEqual(seen[0] as string[])
})

describe('what is no guess', () => {
  test('is not counted: what no user can have, or what storage does not answer', async () => {
    const { login, said, services, hasher } = await withAlice()
    for (let times = 0; times < 20; times++) await expectInvalid(login(ALICE, 'x'.repeat(2000)), 'password')
    for (let times = 0; times < 20; times++) {
      services.memory.before.set('users.findByEmail', () => {
        throw new MachineAuthError('storage_unavailable')
      })
      expect(await said(ALICE, 'wrong')).toBe('storage_unavailable')
    }
    expect(hasher.calls.verify).toBe(0)
    for (let guess = 0; guess < 5; guess++) expect(await said(ALICE, 'wrong')).toBe('login_failed')
    expect(await said(ALICE, PASSWORD)).toBe('locked_out')
  })

  test('a disabled user with the right password is one', async () => {
    const { said, services } = await withAlice()
    const { id } = await services.users.create({ email: 'off@example.com', password: PASSWORD })
    await services.users.disable(id)
    for (let times = 0; times < 5; times++) expect(await said('off@example.com', PASSWORD)).toBe('login_failed')
    expect(await said(ALICE, PASSWORD)).toBe('locked_out')
    expect(services.memory.rows.loginAddresses.size).toBe(0)
  })

  test('another way to write an e-mail is the same account', async () => {
    const { said } = await withAlice()
    const ways = [' alice@example.com', 'ALICE@example.com', 'Alice@Example.Com ']
    for (let guess = 0; guess < 10; guess++) {
      expect(await said(ways[guess % 3] ?? '', 'wrong', addressOf(guess))).toBe('login_failed')
    }
    expect(await said(ALICE, PASSWORD, addressOf(99))).toBe('locked_out')
  })

  test('without an address all attempts are as from one', async () => {
    const { services, said } = await withAlice()
    for (let guess = 0; guess < 5; guess++) await expectRefused(services.login.verify(NOBODY, 'wrong'), 'login_failed')
    expect(await said(ALICE, PASSWORD, null)).toBe('locked_out')
    expect(await said(ALICE, PASSWORD)).toBe('in')
  })
})
