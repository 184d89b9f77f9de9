/** What is shown of what was counted. */
import { latencyPercentile } from '../../lib/latency.ts'
import { toTimestamp } from '../../lib/timestamp.ts'
import type { KeyUsageSums } from '../../storage/ports/usage.ts'
import { startsOf, type UsageBucket, type UsageSpan } from './periods.ts'

/** A bucket; errors are answers of status 400 and above. */
export interface UsagePoint {
  /** When it begins, RFC 3339. */
  readonly start: string
  readonly total: number
  readonly errors: number
}

/** How long requests took, ms; null without any. */
interface LatencyView {
  readonly mean: number | null
  readonly p50: number | null
  readonly p90: number | null
  readonly p99: number | null
}

/** What the requests of one key came to. */
export interface KeyUsage {
  readonly keyId: string
  readonly bucket: UsageBucket
  /** RFC 3339, inclusive. */
  readonly from: string
  /** RFC 3339, exclusive. */
  readonly to: string
  readonly total: number
  readonly errors: number
  readonly byStatus: Readonly<Record<string, number>>
  /** By method and the route's pattern; the 200 most used. */
  readonly byEndpoint: Readonly<Record<string, number>>
  readonly latency: LatencyView
  /** Every bucket in order, also those without requests. */
  readonly series: readonly UsagePoint[]
  /**
   * False when what this process counted could not all be written before: then requests of late may be missing, as
   * while the database is locked.
   */
  readonly complete: boolean
}

/** A key among the most used ones. */
export interface TopKey {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly organizationId: string | null
  readonly requests: number
  readonly errors: number
}

/** The figures of a whole installation. */
export interface UsageStats {
  readonly organizations: number
  readonly keys: number
  /** Keys that are active themselves; their organizations and users are not looked at. */
  readonly activeKeys: number
  /** Guarded requests ever since they are counted. */
  readonly requests: number
  readonly requestsLastHour: number
  /** 0 to 1, of the last 24 hours. */
  readonly errorRate: number
  /** The ten most used of the last 24 hours, counted in whole days. */
  readonly topKeys: readonly TopKey[]
  /** The last 24 hours, the one under way included. */
  readonly series: readonly UsagePoint[]
  /** As of `KeyUsage`. */
  readonly complete: boolean
}

/** The route of requests that found none. */
const NO_ROUTE = '(none)'
export const FIRST_ERROR = 400

/** A status or bucket, and how many requests it had. */
interface Counted {
  readonly requests: number
}

export function sumOf(counted: readonly Counted[]): number {
  return counted.reduce((sum, { requests }) => sum + requests, 0)
}

/** ms, to the microsecond. */
function round(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000
}

function toLatencyView({ latencies, duration }: KeyUsageSums, total: number): LatencyView {
  const percentile = (fraction: number) => round(latencyPercentile(latencies, fraction))
  return {
    mean: total === 0 ? null : round(duration / total / 1000),
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
  }
}

/**
 * Every bucket of a span.
 *
 * @param rows by the epoch ms at which they begin
 */
export function toSeries(
  span: Pick<UsageSpan, 'from' | 'to' | 'size'>,
  rows: readonly { readonly start: number; readonly requests: number; readonly errors: number }[],
): readonly UsagePoint[] {
  const byStart = new Map(rows.map((row) => [row.start, row]))
  return startsOf(span).map((start) => {
    const { requests: total = 0, errors = 0 } = byStart.get(start) ?? {}
    return { start: toTimestamp(start), total, errors }
  })
}

export function toKeyUsage(keyId: string, span: UsageSpan, sums: KeyUsageSums, complete: boolean): KeyUsage {
  const { statuses, endpoints, series } = sums
  const total = sumOf(statuses)
  return {
    keyId,
    bucket: span.bucket,
    from: toTimestamp(span.from),
    to: toTimestamp(span.to),
    total,
    errors: sumOf(statuses.filter(({ status }) => status >= FIRST_ERROR)),
    byStatus: Object.fromEntries(statuses.map(({ status, requests }) => [status, requests])),
    byEndpoint: Object.fromEntries(
      endpoints.map(({ method, route, requests }) => [`${method} ${route === '' ? NO_ROUTE : route}`, requests]),
    ),
    latency: toLatencyView(sums, total),
    series: toSeries(span, series),
    complete,
  }
}
