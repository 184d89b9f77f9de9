/** Signing keys that another process changed: heard of at once, and never taken from an answer that was under way. */
import { describe, expect, test } from 'bun:test'
import { SigningKeys } from '../../src/tokens/signing-keys.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { withOutages } from '../support/outage.ts'
import { expectRefused } from '../support/refusals.ts'
import { JWT, SECRET, START } from '../support/services.ts'
import { until } from '../support/until.ts'

/** `here` hears what `elsewhere` does; the clock stands still, so that nothing is read anew for its age. */
async function createPair() {
  const memory = createMemoryStorage(() => START)
  const { storage, outage } = withOutages(memory)
  const state = { removals: 0 }
  const common = { clock: () => START, secrets: [SECRET], ...JWT, audit: { record: async () => undefined } }
  const onRemoved = () => {
    state.removals += 1
  }
  const here = new SigningKeys({ ...common, store: storage.signingKeys, onRemoved })
  const elsewhere = new SigningKeys({ ...common, store: memory.signingKeys })
  await here.ensureCurrent()
  const { kid } = await elsewhere.current()
  memory.calls.length = 0
  return { memory, outage, state, here, elsewhere, kid }
}

const isKnown = async (keys: SigningKeys, kid: string) => (await keys.find(kid, START)) !== null

describe('a key that another process made', () => {
  test('signs and verifies from the moment on that it is heard of', async () => {
    const { here, elsewhere, kid, state } = await createPair()
    const next = await elsewhere.rotate()
    expect([await isKnown(here, next), (await here.current()).kid]).toEqual([false, kid])
    here.forget()
    expect([await isKnown(here, next), (await here.current()).kid]).toEqual([true, next])
    // The old one verifies on, so nothing that it proved is wrong.
    expect([await isKnown(here, kid), state.removals]).toEqual([true, 0])
  })

  test('is not missed for a list that was being read when it was made', async () => {
    const { here, elsewhere, outage } = await createPair()
    const held = outage.hold('signingKeys.list')
    here.forget()
    await held.reached
    const next = await elsewhere.rotate()
    here.forget()
    const found = isKnown(here, next)
    held.release()
    expect(await found).toBe(true)
    expect((await here.current()).kid).toBe(next)
  })

  test('is read once or twice, however often it is told', async () => {
    const { here, memory, elsewhere } = await createPair()
    const next = await elsewhere.rotate()
    memory.calls.length = 0
    for (let count = 0; count < 100; count += 1) here.forget()
    expect(await isKnown(here, next)).toBe(true)
    // In memory all that is read by itself is over by then.
    await Bun.sleep(0)
    expect(memory.calls.length).toBeLessThanOrEqual(2)
  })
})

describe('what is heard of while a list comes in', () => {
  const begun = {
    'since another change was heard of': (here: SigningKeys) => here.forget(),
    'since the known one was old': (here: SigningKeys, kid: string) => void here.find(kid, START + 60_000),
  }
  const turns = Array.from({ length: 12 }, (_, count) => count)
  const cases = Object.entries(begun).flatMap(([name, begin]) => turns.map((count) => ({ name, begin, count })))

  test.each(cases)('is read too: $count turns after that one was asked for, $name', async ({ begin, count }) => {
    const { here, elsewhere, memory, kid, state } = await createPair()
    const { signingKeys } = memory.rows
    const next = await elsewhere.rotate()
    const row = signingKeys.get(next)
    if (row === undefined) throw new Error('no row')
    signingKeys.delete(next)
    begin(here, kid)
    for (let turn = 0; turn < count; turn += 1) await Promise.resolve()
    signingKeys.set(next, row)
    signingKeys.delete(kid)
    here.hear(next)
    // By itself, without anybody who asks for a key: in memory all that is read is over by then.
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve()
    expect([state.removals, await isKnown(here, next), await isKnown(here, kid)]).toEqual([1, true, false])
  })
})

test('of a key that is known already nothing is read, of another one all is', async () => {
  const { here, elsewhere, memory, kid } = await createPair()
  here.hear(kid)
  const own = await here.rotate()
  memory.calls.length = 0
  here.hear(own)
  await Bun.sleep(0)
  expect(memory.calls).toEqual([])
  const next = await elsewhere.rotate()
  here.hear(next)
  expect([await isKnown(here, next), (await here.current()).kid]).toEqual([true, next])
})

describe('a key that is gone', () => {
  test('verifies nothing more, and what it verified is told to be forgotten, once', async () => {
    const { here, elsewhere, memory, kid, state } = await createPair()
    await elsewhere.rotate()
    here.forget()
    expect(await isKnown(here, kid)).toBe(true)
    memory.rows.signingKeys.delete(kid)
    here.forget()
    expect([await isKnown(here, kid), state.removals]).toEqual([false, 1])
    here.forget()
    expect([await isKnown(here, kid), state.removals]).toEqual([false, 1])
  })

  test('is noticed without a token that asks for it: those verified before need no key', async () => {
    const { here, memory, kid, state } = await createPair()
    memory.rows.signingKeys.delete(kid)
    here.forget()
    while (state.removals === 0) await Promise.resolve()
    expect(state.removals).toBe(1)
  })
})

describe('a key that is gone while the database is away', () => {
  test('is noticed when it is back, without being told again', async () => {
    const { here, memory, outage, kid, state } = await createPair()
    memory.rows.signingKeys.delete(kid)
    outage.isAway = true
    here.forget()
    await until(() => outage.asked.length >= 2)
    expect(state.removals).toBe(0)
    outage.isAway = false
    await until(() => state.removals > 0)
    expect([await isKnown(here, kid), state.removals]).toEqual([false, 1])
  })

  test('is not read for ever by what is stopped', async () => {
    const { here, outage, kid } = await createPair()
    outage.isAway = true
    here.forget()
    await until(() => outage.asked.length >= 2)
    here.stop()
    const { length } = outage.asked
    here.forget()
    // By itself it reads no more; who asks is answered.
    await Bun.sleep(0)
    expect(outage.asked).toHaveLength(length)
    outage.isAway = false
    expect(await isKnown(here, kid)).toBe(true)
  })
})

test('while the database is away, a key that may be gone is not believed', async () => {
  const { here, outage, kid } = await createPair()
  outage.isAway = true
  here.forget()
  await expectRefused(here.find(kid, START), 'storage_unavailable')
  here.stop()
  outage.isAway = false
  expect(await isKnown(here, kid)).toBe(true)
})
