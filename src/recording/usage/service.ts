/** What requests came to: of one key, and of all together. */
import { type Actor, requirePlatform, SYSTEM } from '../../authorization/actor.ts'
import type { Clock } from '../../lib/clock.ts'
import type { OrganizationStore } from '../../storage/ports/accounts.ts'
import type { KeyStore } from '../../storage/ports/keys.ts'
import type { UsageStore } from '../../storage/ports/usage.ts'
import type { ApiKeyRecord } from '../../storage/records.ts'
import { EndpointBound } from './endpoint-bound.ts'
import { resolveSpan, type UsageInput } from './periods.ts'
import { type ReportOptions, reportUses, type UsageReport } from './report.ts'
import type { ReportedUse } from './reported-use.ts'
import { purgeUsage, type UsageRetention } from './retention.ts'
import { Stats } from './stats.ts'
import { type KeyUsage, toKeyUsage, type UsageStats } from './views.ts'

export interface UsageServiceOptions {
  readonly store: UsageStore
  readonly keys: Pick<KeyStore, 'findMany' | 'count'>
  readonly organizations: Pick<OrganizationStore, 'count'>
  /** Rejects with `not_found` for a key that is not there for the actor. */
  readonly requireKey: (id: string, actor: Actor) => Promise<ApiKeyRecord>
  readonly audit: ReportOptions['audit']
  /** What this process counts and has not written yet; null where it counts nothing. */
  readonly recorder: UsageFlush | null
  /** How long counts are kept. */
  readonly kept: Omit<UsageRetention, 'store'>
  readonly clock: Clock
}

/** Writes what is counted; answers whether all of it is written. */
export interface UsageFlush {
  flush(): Promise<boolean>
}

export class UsageService {
  readonly #options: UsageServiceOptions
  readonly #stats: Stats
  readonly #endpoints = new EndpointBound()

  constructor(options: UsageServiceOptions) {
    this.#options = options
    this.#stats = new Stats(options)
  }

  /**
   * What the requests of one key came to, by the hour or by the day. It holds all that this process has answered, or
   * says that it is not `complete`, and of others what they have written: what is older than a flush interval.
   *
   * @throws MachineAuthError `not_found`, also for a key out of the actor's reach; `validation_failed` for more than 31
   * days of hours or 731 days
   * @example const { total, errors } = await core.usage.ofKey(id, { bucket: 'day' })
   */
  async ofKey(id: string, input: UsageInput = {}, actor: Actor = SYSTEM): Promise<KeyUsage> {
    const { requireKey, store, clock } = this.#options
    const key = await requireKey(id, actor)
    const span = resolveSpan(input, clock())
    const isComplete = await this.#writeCounted()
    const { bucket: period, from, to } = span
    return toKeyUsage(key.id, span, await store.sumsOfKey({ keyId: key.id, period, from, to }), isComplete)
  }

  /**
   * The figures of the whole installation. How many keys there are, and which are used most, is read every five
   * seconds at most, and less often where it takes long.
   *
   * @throws MachineAuthError `permission_required` without platform reach
   */
  async stats(actor: Actor = SYSTEM): Promise<UsageStats> {
    requirePlatform(actor)
    const complete = await this.#writeCounted()
    return { ...(await this.#stats.read()), complete }
  }

  /** Writes what this process has counted so far; answers whether all of it is written. */
  async #writeCounted(): Promise<boolean> {
    return (await this.#options.recorder?.flush()) ?? true
  }

  /**
   * Counts uses of keys in services that are not Elysia apps. Each counts once by its `keyId` and `id`, however often
   * it is reported, and one that is wrong is rejected alone: one of a key out of the actor's reach as one of none, and
   * one of more than 200 endpoints of a key and day, which are paths and no patterns.
   *
   * @param uses 1 to 1,000
   * @throws MachineAuthError `validation_failed` for a list that is none
   * @example
   * await core.usage.report([{ id: 'req-1', keyId, endpoint: '/reports', method: 'GET', status: 200, latencyMs: 12.5, at }])
   */
  report(uses: readonly ReportedUse[], actor: Actor = SYSTEM): Promise<UsageReport> {
    const endpoints = this.#endpoints
    return reportUses({ ...this.#options, endpoints }, uses, actor, this.#options.clock())
  }

  /**
   * Deletes what is older than it is kept (`usage.retention`, `usage.dailyRetention`). Happens by itself every hour.
   *
   * @param input `onProgress` hears how many rows are deleted so far
   * @returns how many rows
   * @throws MachineAuthError `permission_required` without platform reach
   */
  async purge(
    { onProgress }: { readonly onProgress?: (deleted: number) => void } = {},
    actor: Actor = SYSTEM,
  ): Promise<number> {
    requirePlatform(actor)
    const { store, kept, clock } = this.#options
    return purgeUsage({ store, ...kept }, clock(), onProgress)
  }
}
