import { describe, expect, test } from 'bun:test'
import { AttemptGate, type Turn } from '../../src/limits/attempt-gate.ts'
import { START } from './schedules.ts'

const MINUTE = 60_000

function createGate(capacity = 1000) {
  const time = { now: START }
  const gate = new AttemptGate({ clock: () => time.now, capacity })
  /** Tries once after another; the waits that were answered. */
  async function tries(subject: string, times: number, isWrong: boolean): Promise<readonly number[]> {
    const waits: number[] = []
    for (let count = 0; count < times; count += 1) {
      const { wait, leave } = await gate.enter(subject)
      waits.push(wait)
      if (wait === 0) leave(isWrong)
    }
    return waits
  }
  return { gate, time, tries }
}

/** A turn of the event loop, so that whoever was let in is noticed. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Enters so many times at once; `running` are those let in, `waits` what the others were told. */
function enterAll(gate: AttemptGate, subject: string, times: number) {
  const seen = { running: 0, most: 0, begun: 0, waits: [] as number[] }
  const running: Turn[] = []
  const leave = (isWrong: boolean) => {
    seen.running -= 1
    running.shift()?.leave(isWrong)
  }
  for (let count = 0; count < times; count += 1) {
    void gate.enter(subject).then((turn) => {
      if (turn.wait > 0) return void seen.waits.push(turn.wait)
      running.push(turn)
      seen.running += 1
      seen.begun += 1
      seen.most = Math.max(seen.most, seen.running)
    })
  }
  return { seen, leave }
}

describe('one after another', () => {
  test('twenty wrong ones in a minute are let in, and then none until the first is a minute old', async () => {
    const { time, tries } = createGate()
    expect(await tries('a', 10, true)).toEqual(Array(10).fill(0))
    time.now += MINUTE / 2
    expect(await tries('a', 12, true)).toEqual([...Array(10).fill(0), MINUTE / 2, MINUTE / 2])
    time.now += MINUTE / 2
    expect((await tries('a', 11, true)).at(-1)).toBe(MINUTE / 2)
  })

  test('right ones count for nothing', async () => {
    const { tries } = createGate()
    await tries('a', 19, true)
    expect(new Set(await tries('a', 1000, false))).toEqual(new Set([0]))
    expect(await tries('a', 2, true)).toEqual([0, MINUTE])
  })

  test('another subject is not affected; one that is forgotten starts anew', async () => {
    const { gate, tries } = createGate()
    await tries('a', 20, true)
    expect(await tries('b', 20, true)).toEqual(Array(20).fill(0))
    expect(await tries('a', 1, true)).toEqual([MINUTE])
    gate.forget('a')
    expect(await tries('a', 1, true)).toEqual([0])
  })
})

describe('all at once', () => {
  test('at most four run; who is right makes room for the next', async () => {
    const { gate } = createGate()
    const { seen, leave } = enterAll(gate, 'a', 100)
    await turn()
    while (seen.running > 0) {
      leave(false)
      await turn()
    }
    expect(seen).toEqual({ running: 0, most: 4, begun: 100, waits: [] })
  })

  test('of ten thousand wrong ones twenty begin, and the others are sent away', async () => {
    const { gate } = createGate()
    const { seen, leave } = enterAll(gate, 'a', 10_000)
    await turn()
    expect([seen.running, seen.waits.length]).toEqual([4, 10_000 - 4 - 256])
    while (seen.running > 0) {
      leave(true)
      await turn()
    }
    expect([seen.begun, seen.most, seen.waits.length]).toEqual([20, 4, 9980])
    expect(new Set(seen.waits)).toEqual(new Set([1000, MINUTE]))
  })

  test('those under way count as wrong until they are over', async () => {
    const { gate, tries } = createGate()
    await tries('a', 18, true)
    const { seen, leave } = enterAll(gate, 'a', 4)
    await turn()
    expect(seen.running).toBe(2)
    leave(false)
    await turn()
    expect([seen.running, seen.waits]).toEqual([2, []])
    leave(true)
    await turn()
    // One is left, and one is under way: the fourth waits for it.
    expect([seen.running, seen.begun, seen.waits]).toEqual([1, 3, []])
    leave(true)
    await turn()
    expect([seen.running, seen.begun, seen.waits]).toEqual([0, 3, [MINUTE]])
  })
})

describe('when all whom it remembers are others', () => {
  const CAPACITY = 10

  async function fill() {
    const created = createGate(CAPACITY)
    const { tries } = created
    for (let subject = 0; subject < CAPACITY; subject += 1) await tries(`own${subject}`, 1, true)
    // These share what is counted.
    for (let subject = 0; subject < 20; subject += 1) await tries(`stranger${subject}`, 1, true)
    return created
  }

  test('a newcomer who is right is let in', async () => {
    const { tries } = await fill()
    expect(await tries('newcomer', 100, false)).toEqual(Array(100).fill(0))
  })

  test('what all strangers get wrong is bounded, by as much as all who are remembered', async () => {
    const { tries } = await fill()
    const waits: number[] = []
    for (let subject = 0; subject < 300; subject += 1) waits.push(...(await tries(`wrong${subject}`, 1, true)))
    expect(waits.filter((wait) => wait === 0)).toHaveLength(20 * CAPACITY)
    expect(await tries('newcomer', 1, false)).toEqual([MINUTE])
  })

  test('who is remembered has no part in it', async () => {
    const { tries } = await fill()
    expect(await tries('own0', 21, true)).toEqual([...Array(19).fill(0), MINUTE, MINUTE])
  })

  test('at most four strangers run at once', async () => {
    const { gate } = await fill()
    const { seen, leave } = enterAll(gate, 'flood', 1000)
    await turn()
    expect([seen.running, seen.waits.length]).toEqual([4, 1000 - 4 - 256])
    while (seen.running > 0) {
      leave(false)
      await turn()
    }
    expect([seen.begun, seen.most]).toEqual([260, 4])
  })
})
