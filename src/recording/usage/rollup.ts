/** Makes of counters the rows that are added to the database. */
import { DAY, HOUR, MINUTE } from '../../lib/time-units.ts'
import type { LatencyCounts, UsagePeriod, UsageRecord } from '../../storage/records.ts'
import type { TallyCounter } from './tally.ts'

/** ms; the total never ends. */
const LENGTHS: Readonly<Record<Exclude<UsagePeriod, 'total'>, number>> = { minute: MINUTE, hour: HOUR, day: DAY }

const OF_A_KEY = ['hour', 'day'] as const
const OF_ALL = ['minute', 'hour', 'day', 'total'] as const

/** Written out: a row is made for each counter and period with every flush, and a loop over names takes longer. */
function latenciesOf({ latencies: counts }: TallyCounter): LatencyCounts {
  return {
    latency0: counts[0] ?? 0,
    latency1: counts[1] ?? 0,
    latency2: counts[2] ?? 0,
    latency3: counts[3] ?? 0,
    latency4: counts[4] ?? 0,
    latency5: counts[5] ?? 0,
    latency6: counts[6] ?? 0,
    latency7: counts[7] ?? 0,
    latency8: counts[8] ?? 0,
    latency9: counts[9] ?? 0,
    latency10: counts[10] ?? 0,
    latency11: counts[11] ?? 0,
  }
}

function toRow(counter: TallyCounter, period: UsagePeriod): UsageRecord {
  const { keyId, organizationId, method, route, status, requests, duration } = counter
  const start = period === 'total' ? 0 : counter.start - (counter.start % LENGTHS[period])
  return { keyId, period, start, organizationId, method, route, status, requests, duration, ...latenciesOf(counter) }
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
