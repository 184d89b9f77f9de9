/** Whatever is asked for in whatever order: one round at a time, and each item is written once. */
import { afterAll, beforeAll, expect, jest, test } from 'bun:test'
import fc from 'fast-check'
import { Flusher } from '../../src/recording/flusher.ts'

beforeAll(() => void jest.useFakeTimers())
afterAll(() => void jest.useRealTimers())

const STEPS = fc.array(
  fc.oneof(
    fc.constant({ kind: 'add' } as const),
    fc.constant({ kind: 'flush' } as const),
    fc.constant({ kind: 'hurry' } as const),
    // Somebody who waits for a round, and asks again the moment it ends.
    fc.constant({ kind: 'flush again' } as const),
    fc.record({ kind: fc.constant('turns' as const), turns: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 6000 }) }),
  ),
  { maxLength: 60 },
)
type Step = typeof STEPS extends fc.Arbitrary<readonly (infer S)[]> ? S : never

/** How each round goes: how many turns it takes before it writes, and whether it fails instead. */
const ROUNDS = fc.array(fc.record({ turns: fc.nat(6), fails: fc.boolean() }), { maxLength: 40 })

async function take(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
}

/** Items that a flusher writes, as a queue does. */
function open(rounds: readonly { readonly turns: number; readonly fails: boolean }[]) {
  const waiting: number[] = []
  const written: number[] = []
  const state = { added: 0, atOnce: 0, mostAtOnce: 0 }
  const fates = [...rounds]
  const flusher = new Flusher({
    ...{ interval: 500, random: () => 0.5, onOutage: () => undefined },
    async round() {
      state.atOnce += 1
      state.mostAtOnce = Math.max(state.mostAtOnce, state.atOnce)
      const { turns, fails } = fates.shift() ?? { turns: 1, fails: false }
      const batch = [...waiting]
      await take(turns)
      state.atOnce -= 1
      if (fails) throw new Error('locked')
      written.push(...batch)
      waiting.splice(0, batch.length)
    },
  })
  /** What was added before somebody asks is written when he is told so. */
  async function ask(): Promise<void> {
    const { added } = state
    if (await flusher.flush()) expect(written.length).toBeGreaterThanOrEqual(added)
  }
  return { waiting, written, state, flusher, ask }
}

test('flush and hurry in any order, beside rounds that fail', async () => {
  await fc.assert(
    fc.asyncProperty(STEPS, ROUNDS, async (steps, rounds) => {
      const { waiting, written, state, flusher, ask } = open(rounds)
      const asked: Promise<void>[] = []
      const act = (step: Step) => {
        if (step.kind === 'add') waiting.push(state.added++)
        else if (step.kind === 'flush') asked.push(ask())
        else if (step.kind === 'hurry') flusher.hurry()
        else if (step.kind === 'flush again') asked.push(ask().then(ask))
        else if (step.kind === 'turns') return take(step.turns)
        else jest.advanceTimersByTime(step.ms)
        return undefined
      }
      flusher.start()
      for (const step of steps) await act(step)
      await Promise.all(asked)
      // However long the outage was, what is left is written within seconds of its end.
      while (flusher.flushes < rounds.length) {
        jest.advanceTimersByTime(5000)
        await take(30)
      }
      jest.advanceTimersByTime(5000)
      await take(30)
      flusher.stop()
      expect(state.mostAtOnce).toBeLessThanOrEqual(1)
      expect(written).toEqual(Array.from({ length: state.added }, (_, item) => item))
    }),
    { numRuns: 500 },
  )
})
