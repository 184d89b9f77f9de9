import { beforeEach, describe, expect, test } from 'bun:test'
import type { ApiKeyRecord } from '../../src/storage/records.ts'
import { aKey, NOW } from './fixtures.ts'
import { atOnce, changesOf, fiftyTimes, type Open, type Opened } from './support.ts'

/** More than 32 bits of milliseconds. */
const MONTH = 30 * 86_400_000
type Credits = Pick<ApiKeyRecord, 'credits' | 'creditsRefillAmount' | 'creditsRefillEvery' | 'creditsRefilledAt'>

const refilling = (credits: number, refilledAt: number, every = 1000, amount = 10): Credits => ({
  credits,
  creditsRefillAmount: amount,
  creditsRefillEvery: every,
  creditsRefilledAt: refilledAt,
})

/** What a claim at `NOW` answers and leaves; `refilledAt` where the refill moved it. */
const CLAIMS: readonly {
  readonly name: string
  readonly given: Partial<Credits>
  readonly amount: number
  readonly answer: number | null
  readonly refilledAt?: number
}[] = [
  { name: 'takes what is there', given: { credits: 5 }, amount: 2, answer: 3 },
  { name: 'takes the last', given: { credits: 2 }, amount: 2, answer: 0 },
  { name: 'takes nothing where there are too few', given: { credits: 2 }, amount: 3, answer: null },
  { name: 'takes nothing where there are none', given: { credits: 0 }, amount: 1, answer: null },
  { name: 'counts large numbers exactly', given: { credits: 2 ** 50 + 1 }, amount: 2 ** 50, answer: 1 },
  { name: 'answers null for a key that is not limited by uses', given: { credits: null }, amount: 1, answer: null },
  {
    name: 'refills no key that is not limited by uses',
    given: { ...refilling(0, 0), credits: null },
    amount: 1,
    answer: null,
  },
  { name: 'does not refill a moment too early', given: refilling(3, NOW - 999), amount: 1, answer: 2 },
  {
    name: 'does not refill when its period begins in the future',
    given: refilling(0, NOW + 5000),
    amount: 1,
    answer: null,
  },
  { name: 'refills after one period', given: refilling(3, NOW - 1000), amount: 1, answer: 9, refilledAt: NOW },
  { name: 'refills an empty key', given: refilling(0, NOW - 1500), amount: 10, answer: 0, refilledAt: NOW - 500 },
  {
    name: 'refills once after several periods, and moves on by whole ones',
    given: refilling(3, NOW - 3999),
    amount: 1,
    answer: 9,
    refilledAt: NOW - 999,
  },
  {
    name: 'refills after long periods',
    given: refilling(0, NOW - 2 * MONTH - 7, MONTH),
    amount: 1,
    answer: 9,
    refilledAt: NOW - 7,
  },
  {
    name: 'leaves more than the refill as it is, and begins the next period',
    given: refilling(50, NOW - 1000),
    amount: 1,
    answer: 49,
    refilledAt: NOW,
  },
  { name: 'takes no more than a refill gives', given: refilling(3, NOW - 1000), amount: 11, answer: null },
  {
    name: 'refills nothing without an amount',
    given: { ...refilling(3, 0), creditsRefillAmount: null },
    amount: 1,
    answer: 2,
  },
  {
    name: 'refills nothing without a period',
    given: { ...refilling(3, 0), creditsRefillEvery: null },
    amount: 1,
    answer: 2,
  },
  { name: 'refills nothing in periods of 0', given: refilling(3, 0, 0), amount: 1, answer: 2 },
  {
    name: 'refills nothing without a beginning',
    given: { ...refilling(3, 0), creditsRefilledAt: null },
    amount: 1,
    answer: 2,
  },
]

const claimed = (left: number | null) => (left === null ? null : { left, version: 0 })

export function describeKeyCredits(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const keys = () => opened.storage.keys
    const insert = async (given: Partial<Credits>) => {
      const key = aKey(given)
      await keys().insert(key)
      return key
    }
    const read = async ({ id }: ApiKeyRecord) => (await keys().find(id))?.credits

    test.each([...CLAIMS])('a claim $name', async ({ given, amount, answer, refilledAt }) => {
      const key = await insert(given)
      const other = await insert(given)
      expect(await keys().claimCredits(key.id, amount, NOW)).toEqual(claimed(answer))
      const left = answer === null ? {} : { credits: answer }
      const moved = refilledAt === undefined ? {} : { creditsRefilledAt: refilledAt }
      expect(await keys().find(key.id)).toEqual({ ...key, ...left, ...moved })
      expect(await keys().find(other.id)).toEqual(other)
    })

    test('a claim on an unknown key answers null', async () => {
      expect(await keys().claimCredits('key_unknown', 1, NOW)).toBeNull()
      await keys().giveBackCredits('key_unknown', 1, 0)
    })

    test('one of 100 claims receives the last use', async () => {
      const key = await insert({ credits: 1 })
      const answers = await atOnce(100, () => keys().claimCredits(key.id, 1, NOW))
      expect(answers.filter((answer) => answer !== null)).toEqual([{ left: 0, version: 0 }])
      expect(await read(key)).toBe(0)
    })

    test('100 claims at once receive each use once', async () => {
      const key = await insert({ credits: 30 })
      const answers = await atOnce(100, () => keys().claimCredits(key.id, 1, NOW))
      const given = answers.flatMap((answer) => answer?.left ?? []).toSorted((a, b) => a - b)
      expect(given).toEqual(Array.from({ length: 30 }, (_, index) => index))
    })

    test('100 claims at once on a key that is due are given one refill', async () => {
      const key = await insert(refilling(2, NOW - 2500))
      const answers = await atOnce(100, () => keys().claimCredits(key.id, 1, NOW))
      expect(answers.filter((answer) => answer !== null)).toHaveLength(10)
      expect(await keys().find(key.id)).toEqual({ ...key, credits: 0, creditsRefilledAt: NOW - 500 })
      expect(await keys().claimCredits(key.id, 1, NOW + 499)).toBeNull()
      expect(await keys().claimCredits(key.id, 1, NOW + 500)).toEqual(claimed(9))
    })

    test('gives back, and leaves a key that is not limited by uses as it is', async () => {
      const [limited, free] = [await insert({ credits: 3 }), await insert({ credits: null })]
      for (const key of [limited, free]) await keys().giveBackCredits(key.id, 2, 0)
      expect([await read(limited), await read(free)]).toEqual([5, null])
    })

    test('what was claimed of a number that was changed is not given back to the next', async () => {
      const key = await insert({ credits: 10 })
      const before = await keys().claimCredits(key.id, 4, NOW)
      await keys().update(key.id, { name: 'other' }, NOW)
      await keys().giveBackCredits(key.id, 1, before?.version ?? -1)
      expect(await read(key)).toBe(7)
      await keys().update(key.id, { credits: 5 }, NOW)
      await keys().giveBackCredits(key.id, 3, before?.version ?? -1)
      expect(await read(key)).toBe(5)
      const after = await keys().claimCredits(key.id, 2, NOW)
      await keys().giveBackCredits(key.id, 1, after?.version ?? -1)
      expect(await read(key)).toBe(4)
    })

    test('what is given back while others claim is not lost', async () => {
      const key = await insert({ credits: 25 })
      await fiftyTimes(async (index) => {
        if (index % 2 === 0) await keys().claimCredits(key.id, 1, NOW)
        else await keys().giveBackCredits(key.id, 1, 0)
      })
      expect(await read(key)).toBe(25)
      expect(await changesOf(opened.storage)).toEqual([])
    })
  })
}
