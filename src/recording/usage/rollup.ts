/** Makes of counters the rows that are added to the database. */
import { DAY, HOUR, MINUTE } from '../../lib/time-units.ts'
import type { LatencyCounts, UsagePeriod, UsageRecord } from '../../storage/records.ts'
import type { TallyCounter } from './tally.ts'

/** ms; the total never ends. */
const LENGTHS: Readonly<Record<Exclude<UsagePeriod, 'total'>, number>> = { minute: MINUTE, hour: HOUR, day: DAY }

const OF_A_KEY = ['hour', 'day'] as const
const OF_ALL = ['minute', 'hour', 'day', 'total'] as const

const NONE: LatencyCounts = Object.freeze({
  latency0: 0,
  latency1: 0,
  latency2: 0,
  latency3: 0,
  latency4: 0,
  latency5: 0,
  latency6: 0,
  latency7: 0,
  latency8: 0,
  latency9: 0,
  latency10: 0,
  latency11: 0,
})
// `Object.keys` is typed for objects that may have more members than their type says; this one has not.
const COLUMNS = Object.keys(NONE) as (keyof LatencyCounts)[]

function toRow(counter: TallyCounter, period: UsagePeriod): UsageRecord {
  const { keyId, organizationId, method, route, status, requests, duration, latencies } = counter
  const start = period === 'total' ? 0 : counter.start - (counter.start % LENGTHS[period])
  const row = { keyId, period, start, organizationId, method, route, status, requests, duration, ...NONE }
  for (const [bucket, column] of COLUMNS.entries()) row[column] = latencies[bucket] ?? 0
  return row
}

/**
 * Rolls counters up: those of keys into hours and days, those of all requests together into all periods. Rows of the
 * same hour, day or total are several where counters are; storage adds them up.
 *
 * @param overall by minute
 * @example rollUp(tally.counters, tally.overall)
 */
export function rollUp(counters: readonly TallyCounter[], overall: readonly TallyCounter[]): readonly UsageRecord[] {
  return [
    ...counters.flatMap((counter) => OF_A_KEY.map((period) => toRow(counter, period))),
    ...overall.flatMap((counter) => OF_ALL.map((period) => toRow(counter, period))),
  ]
}
