import { beforeEach, describe, expect, test } from 'bun:test'
import type { AuditSeal } from '../../src/storage/ports/audit.ts'
import type { AuditMarkRecord, AuditRecord } from '../../src/storage/records.ts'
import { anEvent, NOW } from './fixtures.ts'
import { atOnce, codeOf, fiftyTimes, HOSTILE_CURSORS, type Open, type Opened, readAll } from './support.ts'

const aMark = (sequence: number, given: Partial<AuditMarkRecord> = {}): AuditMarkRecord => ({
  name: 'head',
  sequence,
  at: NOW,
  mac: `mac of mark ${sequence}`,
  macKey: '0123456789abcdef',
  ...given,
})
const aCheckpoint = (sequence: number) => aMark(sequence, { name: 'checkpoint' })
const aSeal = ({ id }: Pick<AuditRecord, 'id'>, sequence: number): AuditSeal => ({
  id,
  sequence,
  mac: `mac of ${sequence}`,
  macKey: '0123456789abcdef',
})

export function describeAuditStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const audit = () => opened.storage.audit
    async function append(count: number, given: Partial<AuditRecord> = {}) {
      const events = Array.from({ length: count }, () => anEvent(given))
      for (const event of events) await audit().append(event)
      return events
    }
    const sealAll = (events: readonly AuditRecord[]) =>
      audit().seal(
        null,
        events.map((event, index) => aSeal(event, index + 1)),
        aMark(events.length),
      )
    const sequences = async () => (await audit().listSealed(0, 1000)).map(({ sequence }) => sequence)
    const unsealed = async () => (await audit().listUnsealed(1000)).map(({ id }) => id)

    test('lists newest first, of one action or all, page by page', async () => {
      const events = Array.from({ length: 5 }, (_, index) =>
        anEvent({ at: NOW + Math.floor(index / 2), action: index % 2 === 0 ? 'key.created' : 'key.revoked' }),
      )
      for (const event of events) await audit().append(event)
      expect(await readAll((page) => audit().list({}, page), 2)).toEqual(events.toReversed())
      expect(await readAll((page) => audit().list({}, { ...page, order: 'asc' }), 2)).toEqual(events)
      const revoked = events.filter(({ action }) => action === 'key.revoked').toReversed()
      expect(await readAll((page) => audit().list({ action: 'key.revoked' }, page), 1)).toEqual(revoked)
      expect(await readAll((page) => audit().list({ action: "' or 1=1 --" }, page), 1)).toEqual([])
      for (const { cursor } of HOSTILE_CURSORS) {
        expect(await codeOf(audit().list({}, { limit: 2, cursor }))).toBe('validation_failed')
      }
    })

    test('a mark is replaced as it was read, and by one of many', async () => {
      const [first, second] = [aMark(1), aMark(2)]
      expect(await audit().replaceMark(null, first)).toBe(true)
      expect(await audit().replaceMark(null, second)).toBe(false)
      for (const other of [{ sequence: 2 }, { mac: 'another' }, { macKey: 'another' }]) {
        expect(await audit().replaceMark({ ...first, ...other }, second)).toBe(false)
      }
      expect(await audit().findMark('head')).toEqual(first)
      const replaced = await fiftyTimes((index) => audit().replaceMark(first, aMark(index + 2)))
      expect(replaced.filter(Boolean)).toHaveLength(1)
      expect(await audit().findMark('checkpoint')).toBeNull()
    })

    test.each([
      [{ action: 'a' }, [0, 1]],
      [{ actor: 'user_1' }, [1, 2]],
      [{ subject: 'key_2' }, [2]],
      [{ organizationId: 'org_1' }, [0, 3]],
      [{ from: NOW + 1 }, [1, 2, 3]],
      [{ to: NOW + 1 }, [0]],
      [{ from: NOW + 1, to: NOW + 3 }, [1, 2]],
      [{ actor: 'user_1', action: 'a' }, [1]],
      [{ actor: undefined, from: undefined }, [0, 1, 2, 3]],
      [{ organizationId: 'org_9' }, []],
    ])('lists by %j', async (filter, expected) => {
      const events = [
        anEvent({ at: NOW, action: 'a', organizationId: 'org_1' }),
        anEvent({ at: NOW + 1, action: 'a', actor: 'user_1' }),
        anEvent({ at: NOW + 2, action: 'b', actor: 'user_1', subject: 'key_2' }),
        anEvent({ at: NOW + 3, action: 'b', organizationId: 'org_1' }),
      ]
      for (const event of events) await audit().append(event)
      const found = await readAll((page) => audit().list(filter, page), 2)
      expect(found).toEqual(expected.flatMap((index) => events[index] ?? []).toReversed())
    })

    test('gives back all that was written', async () => {
      const event = anEvent({
        organizationId: 'org_1',
        address: '2001:db8::1',
        requestId: 'req-1',
        details: { b: [1, { c: null }], a: 'ü\u2028' },
        mac: 'm',
        macKey: 'k',
      })
      await audit().append(event)
      expect(await audit().listUnsealed(10)).toEqual([event])
      const sealed = anEvent({ sequence: 7 })
      await audit().append(sealed)
      expect(await audit().listSealed(0, 10)).toEqual([sealed])
    })

    test('lists events without a place, oldest first, from one on', async () => {
      const events = [anEvent({ at: NOW + 1 }), anEvent({ at: NOW }), anEvent({ at: NOW + 1 })]
      for (const event of events) await audit().append(event)
      await audit().append(anEvent({ sequence: 1 }))
      const [second, first, third] = events
      if (first === undefined || second === undefined) throw new Error('unreachable')
      const ids = async (...args: Parameters<Opened['storage']['audit']['listUnsealed']>) =>
        (await audit().listUnsealed(...args)).map(({ id }) => id)
      expect(await ids(10)).toEqual([first.id, second.id, String(third?.id)])
      expect(await ids(1)).toEqual([first.id])
      expect(await ids(10, first)).toEqual([second.id, String(third?.id)])
      expect(await ids(10, second)).toEqual([String(third?.id)])
    })

    test('a seal gives places, and moves the head', async () => {
      const [first, second, third] = await append(3)
      if (first === undefined || second === undefined || third === undefined) throw new Error('unreachable')
      expect(await audit().findMark('head')).toBeNull()
      expect(await audit().seal(null, [aSeal(first, 1), aSeal(second, 2)], aMark(2))).toBeTrue()
      expect(await audit().findMark('head')).toEqual(aMark(2))
      expect(await audit().seal(2, [aSeal(third, 3)], aMark(3, { at: NOW + 5 }))).toBeTrue()
      expect(await audit().findMark('head')).toEqual(aMark(3, { at: NOW + 5 }))
      expect(await audit().listSealed(1, 10)).toEqual([
        { ...second, ...aSeal(second, 2) },
        { ...third, ...aSeal(third, 3) },
      ])
      expect(await audit().listSealed(0, 1)).toHaveLength(1)
      expect(await unsealed()).toEqual([])
    })

    test('a head may be made and signed anew without events', async () => {
      expect(await audit().seal(null, [], aMark(0))).toBeTrue()
      expect(await audit().seal(0, [], aMark(0, { mac: 'other' }))).toBeTrue()
      expect(await audit().findMark('head')).toEqual(aMark(0, { mac: 'other' }))
    })

    test.each([
      ['that was there already', null],
      ['that has moved on', 1],
    ])('a seal on a head %s changes nothing', async (_, from) => {
      const [first, second, third] = await append(3)
      if (first === undefined || second === undefined || third === undefined) throw new Error('unreachable')
      await audit().seal(null, [aSeal(first, 1), aSeal(second, 2)], aMark(2))
      expect(await audit().seal(from, [aSeal(third, 3)], aMark(3))).toBeFalse()
      expect(await audit().findMark('head')).toEqual(aMark(2))
      expect(await unsealed()).toEqual([third.id])
    })

    test.each([
      ['is unknown', () => [aSeal({ id: 'evt_unknown' }, 3)]],
      ['has a place', ([first]: readonly AuditRecord[]) => (first === undefined ? [] : [aSeal(first, 3)])],
    ])('a seal that meets an event that %s changes nothing', async (_, wrong) => {
      const events = await append(3)
      const [first, second, third] = events
      if (first === undefined || second === undefined || third === undefined) throw new Error('unreachable')
      await audit().seal(null, [aSeal(first, 1)], aMark(1))
      const seals = [aSeal(second, 2), ...wrong(events), aSeal(third, 4)]
      expect(await codeOf(audit().seal(1, seals, aMark(4)))).toBe('internal_error')
      expect(await audit().findMark('head')).toEqual(aMark(1))
      expect(await sequences()).toEqual([1])
      expect(await unsealed()).toEqual([second.id, third.id])
    })

    test('20 sealers at once, while others write, leave a gapless sequence and each event once', async () => {
      const events = await append(60)
      async function sealInTurn(): Promise<void> {
        for (;;) {
          const from = (await audit().findMark('head'))?.sequence ?? null
          const batch = await audit().listUnsealed(7)
          if (batch.length === 0) return
          const seals = batch.map((event, index) => aSeal(event, (from ?? 0) + index + 1))
          // One that reads the head before and the events after another sealer fails as a whole.
          await codeOf(audit().seal(from, seals, aMark((from ?? 0) + batch.length)))
        }
      }
      await Promise.all([atOnce(20, sealInTurn), append(20)])
      await sealInTurn()
      const sealed = await audit().listSealed(0, 1000)
      expect(sealed.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1))
      expect(new Set(sealed.map(({ id }) => id)).size).toBe(80)
      expect(sealed.filter(({ id }) => events.some((event) => event.id === id))).toHaveLength(60)
      expect((await audit().findMark('head'))?.sequence).toBe(80)
    }, 30_000)

    test('of 50 seals on one head one does it', async () => {
      const [event] = await append(1)
      if (event === undefined) throw new Error('unreachable')
      const done = await fiftyTimes((index) => audit().seal(null, [aSeal(event, 1)], aMark(1, { at: index })))
      expect(done.filter(Boolean)).toHaveLength(1)
      expect((await audit().findMark('head'))?.at).toBe(done.indexOf(true))
    })

    test('a purge deletes up to its checkpoint, and leaves that', async () => {
      const events = await append(5)
      await sealAll(events)
      const [open] = await append(1)
      expect(await audit().findMark('checkpoint')).toBeNull()
      expect(await audit().purge(aCheckpoint(2))).toBe(2)
      expect(await audit().findMark('checkpoint')).toEqual(aCheckpoint(2))
      expect(await sequences()).toEqual([3, 4, 5])
      expect(await audit().purge(aCheckpoint(4))).toBe(2)
      expect(await audit().findMark('checkpoint')).toEqual(aCheckpoint(4))
      expect(await sequences()).toEqual([5])
      expect(await unsealed()).toEqual([String(open?.id)])
      expect(await audit().findMark('head')).toEqual(aMark(5))
    })

    test('a purge that comes after a later one changes nothing', async () => {
      await sealAll(await append(5))
      await audit().purge(aCheckpoint(4))
      for (const sequence of [4, 3]) {
        expect(await audit().purge({ ...aCheckpoint(sequence), mac: 'other' })).toBe(0)
      }
      expect(await audit().findMark('checkpoint')).toEqual(aCheckpoint(4))
      expect(await sequences()).toEqual([5])
    })

    test('50 purges at once take each event once, and the latest checkpoint stays', async () => {
      await sealAll(await append(50))
      const counts = await fiftyTimes((index) => audit().purge(aCheckpoint(((index * 7) % 40) + 1)))
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40)
      expect((await audit().findMark('checkpoint'))?.sequence).toBe(40)
      expect(await sequences()).toEqual(Array.from({ length: 10 }, (_, index) => index + 41))
    })
  })
}
