/** Makes of counters the rows that are added to the database. */
import { DAY, HOUR, MINUTE } from '../../lib/time-units.ts'
import type { LatencyCounts, UsagePeriod, UsageRecord } from '../../storage/records.ts'
import type { TallyCounter } from './tally.ts'

/** ms; the total never ends. */
const LENGTHS: Readonly<Record<UsagePeriod, number>> = { minute: MINUTE, hour: HOUR, day: DAY, total: Infinity }

const OF_A_KEY = ['hour', 'day'] as const
const OF_ALL = ['minute', 'hour', 'day', 'total'] as const

type Sums = { -readonly [Name in keyof UsageRecord]: UsageRecord[Name] }

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

function emptyRow(counter: TallyCounter, period: UsagePeriod, start: number): Sums {
  const { keyId, organizationId, method, route, status } = counter
  return { keyId, period, start, organizationId, method, route, status, requests: 0, duration: 0, ...NONE }
}

/** Rows by what makes them one: a database takes no row twice in one statement. */
class Rows {
  readonly #rows = new Map<string, Sums>()

  add(counter: TallyCounter, period: UsagePeriod): void {
    const length = LENGTHS[period]
    const start = counter.start - (counter.start % length)
    const { keyId, organizationId, method, route, status, latencies } = counter
    const row = this.#rowOf(
      [keyId, period, length === Infinity ? 0 : start, organizationId, method, route, status],
      () => emptyRow(counter, period, length === Infinity ? 0 : start),
    )
    row.requests += counter.requests
    row.duration += counter.duration
    for (const [bucket, column] of COLUMNS.entries()) row[column] += latencies[bucket] ?? 0
  }

  #rowOf(identity: readonly (string | number)[], make: () => Sums): Sums {
    const name = JSON.stringify(identity)
    const known = this.#rows.get(name)
    if (known !== undefined) return known
    const made = make()
    this.#rows.set(name, made)
    return made
  }

  get all(): readonly UsageRecord[] {
    return [...this.#rows.values()]
  }
}

/**
 * Rolls counters up: those of keys into hours and days, those of all requests together into all periods.
 *
 * @param overall by minute
 * @example rollUp(tally.counters, tally.overall)
 */
export function rollUp(counters: readonly TallyCounter[], overall: readonly TallyCounter[]): readonly UsageRecord[] {
  const rows = new Rows()
  for (const counter of counters) for (const period of OF_A_KEY) rows.add(counter, period)
  for (const counter of overall) for (const period of OF_ALL) rows.add(counter, period)
  return rows.all
}
