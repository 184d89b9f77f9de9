import { beforeEach, describe, expect, test } from 'bun:test'
import type { IdempotencyRecord } from '../../src/storage/records.ts'
import { NOW } from './fixtures.ts'
import { changesOf, fiftyTimes, type Open, type Opened } from './support.ts'

const ANSWER = { key: { id: 'key_1', name: "it's é🔑", metadata: { list: [1, null, { deep: true }] } }, count: 0 }
const END = NOW + 1000

const aClaim = (given: Partial<IdempotencyRecord> = {}): IdempotencyRecord => ({
  principal: '["user","user_1",null]',
  endpoint: 'POST /auth/keys',
  key: 'first',
  fingerprint: 'mac',
  answer: null,
  createdAt: NOW,
  expiresAt: END,
  ...given,
})

export function describeIdempotencyStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const store = () => opened.storage.idempotency
    /** What stands, which a claim of the same moment does not touch; null (and a claim) when nothing does. */
    const standing = (given: Partial<IdempotencyRecord> = {}) =>
      store().claim(aClaim({ fingerprint: 'look', createdAt: NOW, ...given }))

    test('the first claim is made, the next is told what stands', async () => {
      expect(await store().claim(aClaim())).toBeNull()
      const later = aClaim({ fingerprint: 'other', createdAt: END - 1, expiresAt: END + 999 })
      expect(await store().claim(later)).toEqual(aClaim())
      expect(await store().claim(later)).toEqual(aClaim())
    })

    test.each([
      { name: 'principal', given: { principal: '["master","master",null]' } },
      { name: 'endpoint', given: { endpoint: 'POST /auth/blocks' } },
      { name: 'key', given: { key: 'First' } },
    ])('another $name is a claim of its own', async ({ given }) => {
      await store().claim(aClaim())
      expect(await store().claim(aClaim({ ...given, fingerprint: 'own' }))).toBeNull()
      await store().complete(aClaim(given), ANSWER)
      expect(await standing(given)).toEqual(aClaim({ ...given, fingerprint: 'own', answer: ANSWER }))
      expect(await standing()).toEqual(aClaim())
      await store().release(aClaim())
      expect((await standing(given))?.answer).toEqual(ANSWER)
    })

    test.each([
      { name: 'in flight', answer: null },
      { name: 'answered', answer: ANSWER },
    ])('one that is $name is replaced whole from its end on', async ({ answer }) => {
      await store().claim(aClaim())
      if (answer !== null) await store().complete(aClaim(), answer)
      const next = aClaim({ fingerprint: 'next', createdAt: END, expiresAt: END + 1000 })
      expect(await store().claim({ ...next, createdAt: END - 1 })).toEqual(aClaim({ answer }))
      expect(await store().claim(next)).toBeNull()
      expect(await store().claim({ ...next, fingerprint: 'late' })).toEqual(next)
    })

    test.each([
      { name: 'a new key', before: [] },
      { name: 'a key whose claim has expired', before: [aClaim({ createdAt: NOW - 10, expiresAt: NOW })] },
    ])('one of 50 claims of $name is made, and all others are told of it', async ({ before }) => {
      for (const claim of before) await store().claim(claim)
      const answers = await fiftyTimes((index) => store().claim(aClaim({ fingerprint: `mac ${index}` })))
      const made = answers.flatMap((answer, index) =>
        answer === null ? [aClaim({ fingerprint: `mac ${index}` })] : [],
      )
      expect(made).toHaveLength(1)
      const others = answers.filter((answer) => answer !== null)
      expect(others).toEqual(Array(49).fill(made[0]))
    })

    test('claims that race with releases are made one at a time', async () => {
      let holders = 0
      let most = 0
      let made = 0
      await fiftyTimes(async () => {
        if ((await store().claim(aClaim())) !== null) return
        made += 1
        holders += 1
        most = Math.max(most, holders)
        await opened.storage.ping()
        holders -= 1
        await store().release(aClaim())
      })
      expect(most).toBe(1)
      expect(made).toBeGreaterThan(0)
      expect(await standing()).toBeNull()
    })

    test('keeps the first answer', async () => {
      await store().claim(aClaim())
      await store().complete(aClaim(), ANSWER)
      await store().complete(aClaim(), { another: true })
      expect(await standing()).toEqual(aClaim({ answer: ANSWER }))
    })

    test('keeps no answer to what nobody claimed', async () => {
      await store().complete(aClaim(), ANSWER)
      expect(await standing()).toBeNull()
    })

    test('an empty answer is an answer', async () => {
      await store().claim(aClaim())
      await store().complete(aClaim(), {})
      await store().release(aClaim())
      expect(await standing()).toEqual(aClaim({ answer: {} }))
    })

    test('releases what is in flight, never what was answered', async () => {
      await store().claim(aClaim())
      await store().release(aClaim())
      expect(await store().claim(aClaim({ fingerprint: 'again' }))).toBeNull()
      await store().complete(aClaim(), ANSWER)
      await store().release(aClaim())
      expect(await standing()).toEqual(aClaim({ fingerprint: 'again', answer: ANSWER }))
      await store().release(aClaim({ key: 'unknown' }))
    })

    test('purges what expired before a moment, answered or not, and records nothing', async () => {
      for (const key of ['in flight', 'answered']) await store().claim(aClaim({ key, expiresAt: END - 1 }))
      await store().complete(aClaim({ key: 'answered' }), ANSWER)
      await store().claim(aClaim({ key: 'kept' }))
      expect(await store().purge(END)).toBe(2)
      expect(await store().purge(END)).toBe(0)
      expect(await standing({ key: 'kept' })).toEqual(aClaim({ key: 'kept' }))
      expect(await standing({ key: 'answered' })).toBeNull()
      expect(await changesOf(opened.storage)).toEqual([])
    })
  })
}
