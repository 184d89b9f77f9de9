/** How the command line goes on with the request log: each entry once, none left out, however many there are. */
import { expect, test } from 'bun:test'
import { type LastEntries, LogFollower } from '../../src/cli/log-follower.ts'
import type { PageInput } from '../../src/lib/page.ts'
import { parseTimestamp, toTimestamp } from '../../src/lib/timestamp.ts'
import type { RequestLogEntry } from '../../src/options/recording-types.ts'
import type { RequestLogQuery } from '../../src/recording/requests/reader.ts'
import { START } from '../support/test-app.ts'

const ENTRY: Omit<RequestLogEntry, 'id' | 'at'> = {
  requestId: 'request-1',
  method: 'GET',
  path: '/',
  route: '/',
  status: 200,
  latencyMs: 1,
  address: null,
  credential: null,
  keyId: null,
  userId: null,
  organizationId: null,
  code: null,
  query: null,
  requestHeaders: null,
  requestBody: null,
  responseHeaders: null,
  responseBody: null,
}

/** A log in memory, in order of time and id, and how often it was asked. */
function createLog() {
  const state = { now: START }
  const entries: RequestLogEntry[] = []
  let count = 0
  const nameOf = ({ at, id }: RequestLogEntry) => `${at} ${id}`
  async function list(query: RequestLogQuery = {}, { cursor = '', limit = 50, order }: PageInput = {}) {
    expect(order).toBe('asc')
    const { from = '', to = '9' } = query
    const found = entries
      .filter((entry) => entry.at >= from && entry.at < to && nameOf(entry) > cursor)
      .toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
    const items = found.slice(0, limit)
    const last = items.at(-1)
    return { items, nextCursor: found.length > limit && last !== undefined ? nameOf(last) : null }
  }
  function add(amount: number, ms = 0): void {
    for (let n = 0; n < amount; n += 1) {
      count += 1
      entries.push({ ...ENTRY, id: `log_${String(count).padStart(16, '0')}`, at: toTimestamp(state.now + ms) })
    }
  }
  const follow = (query: RequestLogQuery = {}, shown: LastEntries = { items: [], nextCursor: null }) =>
    new LogFollower({ logs: { list } } as never, query, () => state.now, shown)
  return { state, entries, add, follow }
}

test('a look has what came since the last one, and not what was shown', async () => {
  const { add, follow, entries, state } = createLog()
  add(2)
  const follower = follow({}, { items: entries.slice(0, 2), nextCursor: null })
  expect(await follower.look()).toEqual({ entries: [], isCaughtUp: true, isOver: false })
  add(3)
  expect((await follower.look()).entries).toEqual(entries.slice(2))
  state.now += 60_000
  add(1)
  expect((await follower.look()).entries).toEqual(entries.slice(5))
  expect((await follower.look()).entries).toEqual([])
})

test('what is older than what was shown first is not new, and what comes late is', async () => {
  const { add, follow, entries, state } = createLog()
  add(5, -4000)
  add(2500, -3000)
  add(3, -2000)
  const follower = follow({}, { items: entries.slice(-2), nextCursor: 'more' })
  for (let looks = 0; looks < 3; looks += 1) expect((await follower.look()).entries).toEqual([])
  state.now += 1000
  add(1, -6000)
  add(1)
  const shown: RequestLogEntry[] = []
  for (let looks = 0; looks < 3; looks += 1) shown.push(...(await follower.look()).entries)
  expect(shown).toEqual(entries.slice(-2))
})

test('it is over once nothing can come any more', async () => {
  const { add, follow, entries, state } = createLog()
  const past = follow({ to: toTimestamp(START - 60_000) })
  expect(await past.look()).toEqual({ entries: [], isCaughtUp: true, isOver: true })
  const soon = follow({ to: toTimestamp(START + 2000) })
  add(1)
  expect(await soon.look()).toEqual({ entries: entries.slice(0, 1), isCaughtUp: true, isOver: false })
  state.now += 11_999
  // One that comes late.
  add(1, -10_500)
  expect(await soon.look()).toEqual({ entries: entries.slice(1), isCaughtUp: true, isOver: false })
  state.now += 1
  expect(await soon.look()).toEqual({ entries: [], isCaughtUp: true, isOver: true })
})

test('what is more than a look reads is for the next ones, oldest first', async () => {
  const { add, follow, entries } = createLog()
  const follower = follow()
  add(2500)
  const looks = [await follower.look(), await follower.look(), await follower.look()]
  expect(looks.map((look) => [look.entries.length, look.isCaughtUp])).toEqual([
    [1000, false],
    [1000, false],
    [500, true],
  ])
  expect(looks.flatMap((look) => look.entries)).toEqual(entries)
  expect(await follower.look()).toEqual({ entries: [], isCaughtUp: false, isOver: false })
})

test('what comes late or early is shown once, also while there is more than a look reads', async () => {
  const { add, follow, entries, state } = createLog()
  const follower = follow()
  const shown: string[] = []
  for (let second = 0; second < 60; second += 1) {
    state.now += 1000
    add(second < 30 ? 150 : 10)
    add(1, -8000)
    add(1, 5000)
    shown.push(...(await follower.look()).entries.map(({ id }) => id))
  }
  state.now += 10_000
  for (let looks = 0; looks < 20; looks += 1) shown.push(...(await follower.look()).entries.map(({ id }) => id))
  expect(shown.toSorted()).toEqual(entries.map(({ id }) => id))
})

test('a filter by time holds', async () => {
  const { add, follow, entries, state } = createLog()
  const follower = follow({ from: toTimestamp(START + 2000), to: toTimestamp(START + 4000) })
  for (let second = 0; second < 6; second += 1) {
    add(1)
    state.now += 1000
  }
  const { entries: shown } = await follower.look()
  expect(shown).toEqual(entries.slice(2, 4))
  expect(shown.map(({ at }) => parseTimestamp(at))).toEqual([START + 2000, START + 3000])
})
