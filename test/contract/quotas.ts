import { beforeEach, describe, expect, test } from 'bun:test'
import { atOnce, changesOf, type Open, type Opened } from './support.ts'

const PERIOD = '2030-01'
/** More than 32 bits. */
const LARGE = 2 ** 50

export function describeQuotaStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const quotas = () => opened.storage.quotas
    const claim = (amount: number, limit: number, subject = 'key:1', period = PERIOD) =>
      quotas().claim({ subject, period, amount, limit })
    const used = (subject = 'key:1', period = PERIOD) => quotas().used(subject, period)

    test.each([
      { name: 'what fits is added', before: 3, amount: 2, limit: 10, answer: 5 },
      { name: 'what fits exactly is added', before: 8, amount: 2, limit: 10, answer: 10 },
      { name: 'what is one too many is not taken', before: 9, amount: 2, limit: 10, answer: null },
      {
        name: 'a limit that was lowered below what is used lets nothing in',
        before: 9,
        amount: 1,
        limit: 5,
        answer: null,
      },
      { name: 'the first claim may take all', before: 0, amount: 10, limit: 10, answer: 10 },
      { name: 'the first claim may not take more than all', before: 0, amount: 11, limit: 10, answer: null },
      { name: 'a limit of 0 lets nothing in', before: 0, amount: 1, limit: 0, answer: null },
      {
        name: 'large numbers stay exact',
        before: LARGE,
        amount: LARGE + 1,
        limit: 2 * LARGE + 1,
        answer: 2 * LARGE + 1,
      },
      { name: 'large numbers are refused exactly', before: LARGE, amount: LARGE + 1, limit: 2 * LARGE, answer: null },
    ])('$name', async ({ before, amount, limit, answer }) => {
      if (before > 0) expect(await claim(before, LARGE)).toBe(before)
      expect(await claim(amount, limit)).toBe(answer)
      expect(await used()).toBe(answer ?? before)
    })

    test('counts each subject and period by itself', async () => {
      await claim(1, 10, 'key:1', '2030-01')
      await claim(2, 10, 'key:1', '2030-02')
      await claim(3, 10, 'key:2', '2030-01')
      expect([await used('key:1', '2030-01'), await used('key:1', '2030-02')]).toEqual([1, 2])
      expect([await used('key:2', '2030-01'), await used('key:2', '2030-02')]).toEqual([3, 0])
    })

    test('one of 100 claims receives the last unit', async () => {
      await claim(9, 10)
      const answers = await atOnce(100, () => claim(1, 10))
      expect(answers.filter((answer) => answer !== null)).toEqual([10])
      expect(await used()).toBe(10)
    })

    test('100 first claims of a period receive each unit once', async () => {
      const answers = await atOnce(100, () => claim(1, 30))
      const given = answers.filter((answer) => answer !== null).toSorted((a, b) => a - b)
      expect(given).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
      expect(await used()).toBe(30)
    })

    test('claims of different amounts at once never exceed the limit', async () => {
      const answers = await atOnce(100, (index) => claim((index % 3) + 1, 50))
      const taken = answers.reduce((sum: number, answer, index) => sum + (answer === null ? 0 : (index % 3) + 1), 0)
      expect(await used()).toBe(taken)
      // No amount is above 3, so none was refused with 3 left.
      expect([48, 49, 50]).toContain(taken)
      expect(Math.max(...answers.map((answer) => answer ?? 0))).toBe(taken)
    })

    test('gives back, never below 0, and only where something was claimed', async () => {
      await claim(5, 10)
      await quotas().giveBack('key:1', PERIOD, 2)
      expect(await used()).toBe(3)
      await quotas().giveBack('key:1', PERIOD, 3)
      expect(await used()).toBe(0)
      await claim(1, 10)
      await quotas().giveBack('key:1', PERIOD, LARGE)
      expect(await used()).toBe(0)
      await quotas().giveBack('key:2', PERIOD, 1)
      expect(await used('key:2')).toBe(0)
      expect(await claim(10, 10, 'key:2')).toBe(10)
    })

    test('what is given back while others claim is not lost', async () => {
      await claim(50, 100)
      await atOnce(100, async (index) => {
        if (index % 2 === 0) expect(await claim(1, 100)).not.toBeNull()
        else await quotas().giveBack('key:1', PERIOD, 1)
      })
      expect(await used()).toBe(50)
    })

    test('purges the periods before one, and records nothing', async () => {
      for (const period of ['2029-11', '2029-12', '2030-01']) await claim(1, 10, 'key:1', period)
      await claim(1, 10, 'key:2', '2029-12')
      expect(await quotas().purge('2030-01')).toBe(3)
      expect(await quotas().purge('2030-01')).toBe(0)
      expect([await used('key:1', '2029-12'), await used('key:1', '2030-01')]).toEqual([0, 1])
      expect(await changesOf(opened.storage)).toEqual([])
    })
  })
}
