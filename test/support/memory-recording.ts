/** What `memory-storage.ts` does with usage and the request log. */
import type { PageRequest } from '../../src/storage/ports/page.ts'
import type { RequestLogFilter } from '../../src/storage/ports/request-log.ts'
import {
  type KeyTouch,
  type KeyUsageQuery,
  type KeyUsageSums,
  START_OF_JOURNAL,
  type UsageCheckpoint,
  type UsageWrite,
} from '../../src/storage/ports/usage.ts'
import type {
  ApiKeyRecord,
  RequestLogRecord,
  UsageCheckpointRecord,
  UsageReceiptRecord,
  UsageRecord,
} from '../../src/storage/records.ts'
import { pageOf } from './memory-page.ts'

export interface RecordedRows {
  /** By what names a counter. */
  readonly usage: Map<string, UsageRecord>
  readonly usageCheckpoints: Map<string, UsageCheckpointRecord>
  /** By `keyId id`. */
  readonly usageReceipts: Map<string, UsageReceiptRecord>
  readonly requestLog: Map<string, RequestLogRecord>
}

export function createRecordedRows(): RecordedRows {
  return { usage: new Map(), usageCheckpoints: new Map(), usageReceipts: new Map(), requestLog: new Map() }
}

const LATENCIES = Array.from({ length: 12 }, (_, bucket) => `latency${bucket}` as keyof UsageRecord)
const COUNTERS = ['requests', 'duration', ...LATENCIES] as const

function addTo(counters: Map<string, UsageRecord>, row: UsageRecord): void {
  const { keyId, period, start, organizationId, method, route, status } = row
  const name = JSON.stringify([keyId, period, start, organizationId, method, route, status])
  const other = counters.get(name)
  const added =
    other && Object.fromEntries(COUNTERS.map((counter) => [counter, Number(other[counter]) + Number(row[counter])]))
  counters.set(name, { ...row, ...added })
}

/** Sums of one member by another one's values. */
function sumsBy<K>(rows: readonly UsageRecord[], keyOf: (row: UsageRecord) => K): Map<K, number> {
  const sums = new Map<K, number>()
  for (const row of rows) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0) + row.requests)
  return sums
}

const sumOf = (rows: readonly UsageRecord[], member: keyof UsageRecord) =>
  rows.reduce((sum, row) => sum + Number(row[member]), 0)
const isError = ({ status }: UsageRecord) => status >= 400

function deleteSome<T>(map: Map<string, T>, isOld: (row: T) => boolean, limit = Number.POSITIVE_INFINITY): number {
  const old = [...map].filter(([, row]) => isOld(row)).slice(0, limit)
  for (const [name] of old) map.delete(name)
  return old.length
}

export function usageVerbs({ usage, usageCheckpoints, usageReceipts }: RecordedRows, keys: Map<string, ApiKeyRecord>) {
  const standing = (journal: string): UsageCheckpoint | null => {
    const found = usageCheckpoints.get(journal)
    return found ? { position: found.position, target: found.target, written: found.written } : null
  }

  const touch = (uses: readonly KeyTouch[]): void => {
    for (const { keyId, at } of uses) {
      const key = keys.get(keyId)
      if (key !== undefined && (key.lastUsedAt ?? -1) < at) keys.set(keyId, { ...key, lastUsedAt: at })
    }
  }

  return {
    record({ journal, from, to, rows, now }: UsageWrite): boolean {
      if (!Bun.deepEquals(standing(journal) ?? START_OF_JOURNAL, { ...from })) return false
      usageCheckpoints.set(journal, { journal, ...to, updatedAt: now })
      for (const row of rows) addTo(usage, row)
      return true
    },

    checkpoint: standing,

    accept<R extends UsageReceiptRecord>(
      receipts: readonly R[],
      toRows: (accepted: readonly R[]) => readonly UsageRecord[],
      now: number,
    ): readonly R[] {
      touch(receipts.map(({ keyId, at }) => ({ keyId, at: Math.min(at, now) })))
      const accepted = receipts.filter(({ keyId, id, at }) => {
        const name = JSON.stringify([keyId, id])
        if (usageReceipts.has(name)) return false
        usageReceipts.set(name, { keyId, id, at })
        return true
      })
      for (const row of toRows(accepted)) addTo(usage, row)
      return accepted
    },

    touch,

    sumsOfKey({ keyId, period, from, to }: KeyUsageQuery): KeyUsageSums {
      const rows = [...usage.values()].filter(
        (row) => row.keyId === keyId && row.period === period && row.start >= from && row.start < to,
      )
      const starts = [...new Set(rows.map(({ start }) => start))].sort((a, b) => a - b)
      const endpoints = sumsBy(rows, ({ method, route }) => JSON.stringify([method, route]))
      return {
        statuses: [...sumsBy(rows, ({ status }) => status)]
          .map(([status, requests]) => ({ status, requests }))
          .sort((a, b) => a.status - b.status),
        endpoints: [...endpoints]
          .map(([name, requests]) => {
            const [method, route]: [string, string] = JSON.parse(name)
            return { method, route, requests }
          })
          .sort((a, b) => b.requests - a.requests || (`${a.method} ${a.route}` < `${b.method} ${b.route}` ? -1 : 1))
          .slice(0, 200),
        series: starts.map((start) => {
          const own = rows.filter((row) => row.start === start)
          return { start, requests: sumOf(own, 'requests'), errors: sumOf(own.filter(isError), 'requests') }
        }),
        latencies: LATENCIES.map((latency) => sumOf(rows, latency)),
        duration: sumOf(rows, 'duration'),
      }
    },

    overall(period: UsageRecord['period'], from: number) {
      return [...usage.values()]
        .filter((row) => row.keyId === '*' && row.period === period && row.start >= from)
        .map(({ start, status, requests }) => ({ start, status, requests }))
        .sort((a, b) => a.start - b.start || a.status - b.status)
    },

    busiestKeys(from: number, limit: number) {
      const days = [...usage.values()].filter(
        ({ keyId, period, start }) => period === 'day' && start >= from && keyId !== '*' && keyId !== '',
      )
      return [...sumsBy(days, ({ keyId }) => keyId)]
        .map(([keyId, requests]) => {
          const errors = sumOf(
            days.filter((row) => row.keyId === keyId && isError(row)),
            'requests',
          )
          return { keyId, requests, errors }
        })
        .sort((a, b) => b.requests - a.requests || (a.keyId < b.keyId ? -1 : 1))
        .slice(0, limit)
    },

    purge: (period: UsageRecord['period'], before: number, limit: number) =>
      deleteSome(usage, (row) => row.period === period && row.start < before, limit),
    purgeReceipts: (before: number, limit: number) => deleteSome(usageReceipts, ({ at }) => at < before, limit),
    purgeCheckpoints: (before: number) => deleteSome(usageCheckpoints, ({ updatedAt }) => updatedAt < before),
  }
}

export function requestLogVerbs(log: Map<string, RequestLogRecord>) {
  return {
    append(entries: readonly RequestLogRecord[]): void {
      for (const entry of entries) if (!log.has(entry.id)) log.set(entry.id, entry)
    },

    list({ from, to, ...same }: RequestLogFilter, page: PageRequest) {
      const wanted = Object.entries(same).filter(([, value]) => value !== undefined)
      const found = [...log.values()].filter(
        (entry) =>
          wanted.every(([name, value]) => Reflect.get(entry, name) === value) &&
          (from === undefined || entry.at >= from) &&
          (to === undefined || entry.at < to),
      )
      return pageOf(found, page, ({ at }) => at)
    },

    purge: (before: number, limit: number) => deleteSome(log, ({ at }) => at < before, limit),
  }
}
