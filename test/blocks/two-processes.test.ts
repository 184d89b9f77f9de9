/** Blocks and lockouts of one process are in force in every other one on the same PostgreSQL within a second. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { MachineAuthOptions } from '../../src/index.ts'
import { createServerDatabase, isServerUp } from '../contract/adapters.ts'
import { askTimes, BLOCKED, from, LOCKED, PROXIED } from '../support/limited.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

/** ms; CONTRACT promises it. */
const PROMISED = 1000
const ABUSE = { abuse: { threshold: 3, window: '1h', blockFor: '1h' } } as const

/** Starting two cores on a server that others use too takes its time; what is promised is measured. */
setDefaultTimeout(30_000)

type Options = MachineAuthOptions<string, object>

const limitOf = (limit: number): Options => ({ rateLimit: { default: { limit, window: '1h', lockout: '2h' } } })
const isRunning = process.env.REQUIRE_SERVICES === '1' || (await isServerUp())

describe.skipIf(!isRunning)('two processes on one PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let tests = 0

  beforeAll(async () => {
    database = await createServerDatabase()
  })
  afterAll(() => database?.drop())

  /** Two processes, and an address that has not been there before. */
  async function withTwo(
    options: readonly [one: Options, other: Options],
    run: (one: TestApp, other: TestApp, address: string) => Promise<void>,
  ): Promise<void> {
    tests += 1
    const [given, ofOther] = options.map((each) => ({ ...PROXIED, ...each, database: database.url }))
    await using one = await createTestApp(given)
    await using other = await createTestApp(ofOther)
    await run(one, other, `203.0.113.${tests}`)
  }

  const ask = async (app: TestApp, address: string) => (await app.ask('/open', { headers: from(address) })).said
  const presentWrong = (app: TestApp, address: string, times: number) =>
    askTimes(app, times, '/key', { headers: { ...from(address), 'x-api-key': 'mac_wrong' } })

  async function expectSoon(look: () => Promise<string>, wanted: string): Promise<void> {
    const start = performance.now()
    let found = await look()
    while (found !== wanted && performance.now() - start < 3 * PROMISED) found = await look()
    expect(found).toBe(wanted)
    expect(performance.now() - start).toBeLessThan(PROMISED)
  }

  /** Those of an address, by storage. */
  async function blocksOf({ core }: TestApp, address: string) {
    return (await core.blocks.list()).items.filter(({ subject }) => subject === address)
  }

  async function removeBlock(app: TestApp, address: string): Promise<void> {
    const [block] = await blocksOf(app, address)
    await app.core.blocks.remove(block?.id ?? '')
  }

  test('a block that somebody made is in force in both, and removed by the other one it is in none', async () => {
    await withTwo([{}, {}], async (one, other, address) => {
      const { id } = await one.core.blocks.add({ subject: address, duration: '1h' })
      expect(await ask(one, address)).toBe(BLOCKED)
      await expectSoon(() => ask(other, address), BLOCKED)
      expect(await ask(other, '198.51.100.7')).toBe('200')
      await other.core.blocks.remove(id)
      expect(await ask(other, address)).toBe('200')
      await expectSoon(() => ask(one, address), '200')
    })
  })

  test('an address that one blocks for wrong credentials both refuse, and freed it starts anew in both', async () => {
    await withTwo([ABUSE, ABUSE], async (one, other, address) => {
      await presentWrong(other, address, 2)
      await presentWrong(one, address, 3)
      expect(await ask(one, address)).toBe(BLOCKED)
      await expectSoon(() => ask(other, address), BLOCKED)
      await removeBlock(other, address)
      await expectSoon(() => ask(one, address), '200')
      for (const app of [one, other]) {
        await presentWrong(app, address, 2)
        expect(await ask(app, address)).toBe('200')
      }
    })
  })

  test('whom a limit of one locks out, both do, until he is freed, and then he has the limit anew', async () => {
    await withTwo([limitOf(3), limitOf(1_000_000)], async (one, other, address) => {
      const asking = () => askTimes(one, 3, '/open', { headers: from(address) })
      expect(await asking()).toEqual(['200', '200', '200'])
      expect(await ask(one, address)).toBe(LOCKED)
      await expectSoon(() => ask(other, address), LOCKED)
      expect(await blocksOf(other, address)).toMatchObject([{ kind: 'lockout' }])
      await removeBlock(other, address)
      expect(await ask(other, address)).toBe('200')
      await expectSoon(() => ask(one, address), '200')
      expect(await asking()).toEqual(['200', '200', LOCKED])
    })
  })

  test('an address that both block at the same moment is blocked once, and freed in both', async () => {
    await withTwo([ABUSE, ABUSE], async (one, other, address) => {
      await Promise.all([one, other].map((app) => presentWrong(app, address, 3)))
      for (const app of [one, other]) expect(await ask(app, address)).toBe(BLOCKED)
      for (const app of [one, other]) await app.core.blocks.settle()
      expect(await blocksOf(one, address)).toHaveLength(1)
      await removeBlock(one, address)
      for (const app of [one, other]) await expectSoon(() => ask(app, address), '200')
    })
  })
})
