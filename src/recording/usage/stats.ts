/** The figures of a whole installation. */
import type { Clock } from '../../lib/clock.ts'
import { Remembered } from '../../lib/remembered.ts'
import { DAY, HOUR, MINUTE } from '../../lib/time-units.ts'
import type { OrganizationStore } from '../../storage/ports/accounts.ts'
import type { KeyStore } from '../../storage/ports/keys.ts'
import type { UsageStore } from '../../storage/ports/usage.ts'
import { startOf } from './periods.ts'
import { FIRST_ERROR, sumOf, type TopKey, toSeries, type UsagePoint, type UsageStats } from './views.ts'

export interface StatsOptions {
  readonly store: Pick<UsageStore, 'overall' | 'busiestKeys'>
  readonly keys: Pick<KeyStore, 'findMany' | 'count'>
  readonly organizations: Pick<OrganizationStore, 'count'>
  readonly clock: Clock
}

const MOST_KEYS = 10

/** All requests of the last 24 hours, the one under way included. */
async function readHours(store: StatsOptions['store'], now: number): Promise<readonly UsagePoint[]> {
  const to = startOf(now, HOUR) + HOUR
  const from = to - DAY
  const sums = new Map<number, { start: number; requests: number; errors: number }>()
  for (const { start, status, requests } of await store.overall('hour', from)) {
    const sum = sums.get(start) ?? { start, requests: 0, errors: 0 }
    sum.requests += requests
    if (status >= FIRST_ERROR) sum.errors += requests
    sums.set(start, sum)
  }
  return toSeries({ from, to, size: HOUR }, [...sums.values()])
}

function errorRateOf(series: readonly UsagePoint[]): number {
  const total = series.reduce((sum, point) => sum + point.total, 0)
  const errors = series.reduce((sum, point) => sum + point.errors, 0)
  return total === 0 ? 0 : errors / total
}

async function readTopKeys({ store, keys }: StatsOptions, now: number): Promise<readonly TopKey[]> {
  const busiest = await store.busiestKeys(startOf(now - DAY, DAY), MOST_KEYS)
  const found = new Map((await keys.findMany(busiest.map(({ keyId }) => keyId))).map((key) => [key.id, key]))
  return busiest.flatMap(({ keyId, requests, errors }) => {
    const key = found.get(keyId)
    if (key === undefined) return []
    const { id, name, prefix, organizationId } = key
    return [{ id, name, prefix, organizationId, requests, errors }]
  })
}

/** Reads the figures. Those for which all keys, or all that were used, are gone through are some seconds old at times. */
export class Stats {
  readonly #options: StatsOptions
  readonly #keyCounts: Remembered<Awaited<ReturnType<KeyStore['count']>>>
  readonly #topKeys: Remembered<readonly TopKey[]>

  constructor(options: StatsOptions) {
    const { keys, clock } = options
    this.#options = options
    this.#keyCounts = new Remembered(() => keys.count(clock()), clock)
    this.#topKeys = new Remembered(() => readTopKeys(options, clock()), clock)
  }

  /** The figures, but for whether they are complete. */
  async read(): Promise<Omit<UsageStats, 'complete'>> {
    const { store, organizations, clock } = this.#options
    const now = clock()
    const [organizationCount, keyCounts, ever, lastHour, series, topKeys] = await Promise.all([
      organizations.count(),
      this.#keyCounts.get(),
      store.overall('total', 0),
      store.overall('minute', startOf(now - HOUR, MINUTE) + MINUTE),
      readHours(store, now),
      this.#topKeys.get(),
    ])
    return {
      organizations: organizationCount,
      keys: keyCounts.all,
      activeKeys: keyCounts.active,
      requests: sumOf(ever),
      requestsLastHour: sumOf(lastHour),
      errorRate: errorRateOf(series),
      topKeys,
      series,
    }
  }
}
