import { beforeEach, describe, expect, test } from 'bun:test'
import type { RequestLogRecord } from '../../src/storage/records.ts'
import { anEntry, NOW } from './fixtures.ts'
import { atOnce, changesOf, codeOf, HOSTILE_CURSORS, type Open, type Opened, readAll } from './support.ts'

export function describeRequestLogStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const log = () => opened.storage.requestLog
    const all = async () => (await log().list({}, { limit: 100, order: 'asc' })).items

    test('keeps entries as they are, those with nothing and those with much', async () => {
      const entries: readonly RequestLogRecord[] = [
        anEntry(),
        anEntry({
          at: NOW + 1,
          route: null,
          address: null,
          credential: null,
          keyId: null,
          query: null,
          requestHeaders: null,
          responseHeaders: null,
          responseBody: null,
        }),
        anEntry({
          at: NOW + 2,
          userId: 'user_1',
          organizationId: 'org_1',
          code: 'rate_limited',
          duration: 2 ** 50,
          requestBody: 'ü 💡 \' " \\ \n',
          requestHeaders: { 'x-a': 'ü 💡 \' " \\', 'x-b': '' },
        }),
      ]
      await log().append(entries)
      expect(await all()).toEqual(entries)
      expect(await changesOf(opened.storage)).toEqual([])
    })

    test('an entry that is there is left as it is, the others of its batch are added', async () => {
      const [first, second] = [anEntry(), anEntry({ at: NOW + 1 })]
      await log().append([first])
      await log().append([{ ...first, status: 500 }, second])
      await log().append([])
      expect(await all()).toEqual([first, second])
    })

    test('racing callers that add the same entries add each once', async () => {
      const entries = Array.from({ length: 20 }, () => anEntry())
      await atOnce(10, () => log().append(entries))
      expect((await all()).map(({ id }) => id)).toEqual(entries.map(({ id }) => id))
    })

    test('takes more entries than a statement takes values', async () => {
      await log().append(Array.from({ length: 2000 }, (_, index) => anEntry({ at: NOW + index })))
      expect(await log().purge(NOW + 1999, 5000)).toBe(1999)
      expect(await all()).toHaveLength(1)
    })

    test('characters that a database cannot keep keep no other entry out', async () => {
      const broken = { path: '/a\0b', requestBody: 'cut \ud83d', requestHeaders: { 'x-a': '\0', 'x\0b': 'c' } }
      const [first, second] = [anEntry(broken), anEntry({ at: NOW + 1 })]
      await log().append([first, second])
      const cleaned = {
        path: '/a\ufffdb',
        requestBody: 'cut \ufffd',
        requestHeaders: { 'x-a': '\ufffd', 'x\ufffdb': 'c' },
      }
      expect(await all()).toEqual([{ ...first, ...cleaned }, second])
    })

    test('lists newest first, page by page, in either order', async () => {
      const entries = Array.from({ length: 5 }, (_, index) => anEntry({ at: NOW + Math.floor(index / 2) }))
      await log().append(entries)
      expect(await readAll((page) => log().list({}, page), 2)).toEqual(entries.toReversed())
      expect(await readAll((page) => log().list({}, { ...page, order: 'asc' }), 2)).toEqual(entries)
      const arriving = () => log().append([anEntry({ at: NOW + 100 })])
      expect(await readAll((page) => log().list({ keyId: 'key_1' }, page), 2, arriving)).toEqual(entries.toReversed())
      for (const { cursor } of HOSTILE_CURSORS) {
        expect(await codeOf(log().list({}, { limit: 2, cursor }))).toBe('validation_failed')
      }
    })

    test.each([
      [{ requestId: 'r1' }, [0]],
      [{ keyId: 'key_1' }, [0, 1]],
      [{ userId: 'user_1' }, [1, 2]],
      [{ organizationId: 'org_1' }, [0, 3]],
      [{ method: 'POST' }, [2]],
      [{ route: '/b' }, [1, 3]],
      [{ status: 404 }, [3]],
      [{ from: NOW + 1 }, [1, 2, 3]],
      [{ to: NOW + 1 }, [0]],
      [{ from: NOW + 1, to: NOW + 3 }, [1, 2]],
      [{ keyId: 'key_1', route: '/b' }, [1]],
      [{ keyId: undefined, status: undefined, from: undefined }, [0, 1, 2, 3]],
      [{ organizationId: 'org_9' }, []],
      [{ route: "' or 1=1 --" }, []],
    ])('lists by %j', async (filter, expected) => {
      const entries = [
        anEntry({ at: NOW, requestId: 'r1', organizationId: 'org_1', route: '/a' }),
        anEntry({ at: NOW + 1, requestId: 'r2', userId: 'user_1', route: '/b' }),
        anEntry({ at: NOW + 2, requestId: 'r3', userId: 'user_1', route: null, keyId: null, method: 'POST' }),
        anEntry({ at: NOW + 3, requestId: 'r4', organizationId: 'org_1', route: '/b', keyId: null, status: 404 }),
      ]
      await log().append(entries)
      const { items } = await log().list(filter, { limit: 10, order: 'asc' })
      expect(items.map(({ id }) => entries.findIndex((entry) => entry.id === id))).toEqual(expected)
    })

    test('finds the few among many, page by page, in either order', async () => {
      const entries = Array.from({ length: 2500 }, (_, index) =>
        anEntry({ at: NOW + Math.floor(index / 3), status: index % 500 === 7 ? 500 : 200, organizationId: 'org_1' }),
      )
      await log().append(entries)
      const few = entries.filter(({ status }) => status === 500)
      for (const filter of [{ status: 500 }, { status: 500, organizationId: 'org_1', route: undefined }]) {
        expect(await readAll((page) => log().list(filter, page), 2)).toEqual(few.toReversed())
        expect(await readAll((page) => log().list(filter, { ...page, order: 'asc' }), 2)).toEqual(few)
        expect((await log().list(filter, { limit: 5 })).nextCursor).toBeNull()
      }
      expect(await readAll((page) => log().list({ status: 200, to: NOW + 400 }, page), 100)).toHaveLength(1197)
      expect(await codeOf(log().list({ status: 500 }, { limit: 2, cursor: 'none' }))).toBe('validation_failed')
    })

    test('purges entries from before a moment, at most so many', async () => {
      await log().append([0, 1, 2, 3].map((offset) => anEntry({ at: NOW + offset })))
      expect(await log().purge(NOW + 3, 2)).toBe(2)
      expect(await log().purge(NOW + 3, 2)).toBe(1)
      expect(await log().purge(NOW + 3, 2)).toBe(0)
      expect((await all()).map(({ at }) => at)).toEqual([NOW + 3])
    })
  })
}
