/** `core.metrics`: what was counted, as Prometheus text. */
import { version } from '../../../package.json'
import type { QueueFigures } from '../requests/queue.ts'
import type { UsageFigures } from '../usage/recorder.ts'
import { type Caches, cacheFamilies } from './families/caches.ts'
import { limitFamilies } from './families/limits.ts'
import { processFamilies } from './families/process.ts'
import { requestLogFamilies, usageFamilies } from './families/recording.ts'
import { bellFamily, type RedisSources, redisFamilies } from './families/redis.ts'
import { requestFamilies } from './families/requests.ts'
import { storageFamilies } from './families/storage.ts'
import type { Family } from './family.ts'
import type { Meters } from './meters.ts'

/** The content type of the text. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface MetricsSources {
  readonly meters: Meters
  readonly caches: Caches
  readonly recorders: {
    /** Null where usage is not counted. */
    readonly usage: { readonly figures: UsageFigures } | null
    /** Null where requests are not logged. */
    readonly log: { readonly figures: QueueFigures } | null
  }
  /** Null where processes share nothing by Redis. */
  readonly redis?: RedisSources | null
  /** Null where nobody tells of changes at once. */
  readonly bell?: { readonly isHeard: boolean } | null
}

export class Metrics {
  readonly #families: readonly Family[]
  #registry: Promise<{ metrics(): Promise<string> }> | undefined

  constructor({ meters, caches, recorders: { usage, log }, redis = null, bell = null }: MetricsSources) {
    this.#families = [
      ...requestFamilies(meters.requests),
      ...limitFamilies(meters.limits),
      ...cacheFamilies(caches),
      ...storageFamilies(meters.storage),
      ...(usage === null ? [] : usageFamilies(() => usage.figures)),
      ...(log === null ? [] : requestLogFamilies(() => log.figures)),
      ...(redis === null ? [] : redisFamilies(redis, meters.redis)),
      ...(bell === null ? [] : [bellFamily(bell)]),
      ...processFamilies(version, meters.lag),
    ]
  }

  /**
   * Everything that was counted since the core was made, in the text format of Prometheus 0.0.4.
   *
   * @example
   * const text = await core.metrics?.text()
   */
  async text(): Promise<string> {
    this.#registry ??= import('./exposition.ts').then(({ createRegistry }) => createRegistry(this.#families))
    return (await this.#registry).metrics()
  }
}
