/** Which requests came, from whom, and how they were answered: for who may read it. */
import { type Actor, requirePlatform, SYSTEM } from '../../authorization/actor.ts'
import type { Clock } from '../../lib/clock.ts'
import { type PageInput, resolvePage } from '../../lib/page.ts'
import { within } from '../../lib/within.ts'
import type { RequestLogEntry } from '../../options/recording-types.ts'
import type { Page } from '../../storage/ports/page.ts'
import type { RequestLogStore } from '../../storage/ports/request-log.ts'
import type { AuditLog } from '../audit/audit.ts'
import { purgeAll } from '../purging.ts'
import { type RequestLogQuery, resolveQuery, withinReach } from './reader.ts'
import { toRequestLogEntry } from './views.ts'

export interface RequestLogOptions {
  readonly store: Pick<RequestLogStore, 'list' | 'purge'>
  readonly clock: Clock
  readonly audit: Pick<AuditLog, 'refuseOutOfReach'>
  /** What this process has still to write; null where it writes nothing into the store. */
  readonly recorder: { flush(): Promise<boolean> } | null
  /** ms that entries are kept. */
  readonly retention: number
}

/** ms that a list waits for what this process has still to write. */
const PATIENCE = 1000

export class RequestLog {
  readonly #options: RequestLogOptions

  constructor(options: RequestLogOptions) {
    this.#options = options
  }

  /**
   * Requests, newest first: all with platform reach, else those of one's organization, else one's own.
   *
   * @throws MachineAuthError `not_found` for what is out of reach; `validation_failed`
   * @example await core.logs.list({ status: 500, from: '2030-01-01T00:00:00Z' })
   */
  async list(query: RequestLogQuery = {}, page: PageInput = {}, actor: Actor = SYSTEM): Promise<Page<RequestLogEntry>> {
    const { store, audit, recorder } = this.#options
    const wanted = withinReach(resolveQuery(query), actor)
    if ('outOfReach' in wanted) return audit.refuseOutOfReach(actor, wanted.outOfReach)
    const request = resolvePage(page)
    // What is older is there anyway: a database that takes long to write must not keep it from being read.
    if (recorder !== null) await within(PATIENCE, recorder.flush())
    const { items, nextCursor } = await store.list(wanted.filter, request)
    return { items: items.map(toRequestLogEntry), nextCursor }
  }

  /**
   * Deletes what is older than it is kept (`logging.retention`). Happens by itself every hour.
   *
   * @returns how many entries
   * @throws MachineAuthError `permission_required` without platform reach
   */
  async purge(actor: Actor = SYSTEM): Promise<number> {
    requirePlatform(actor)
    const { store, clock, retention } = this.#options
    const before = clock() - retention
    return purgeAll((limit) => store.purge(before, limit))
  }
}
