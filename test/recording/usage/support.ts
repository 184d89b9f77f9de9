/** A recorder on a database in memory whose writes fail as a test says. */

import { USAGE_BOUNDS, type UsageBounds } from '../../../src/recording/usage/bounds.ts'
import type { DatabaseIdentity } from '../../../src/recording/usage/journal/database-id.ts'
import { UsageRecorder } from '../../../src/recording/usage/recorder.ts'
import type { UsageStore } from '../../../src/storage/ports/usage.ts'
import type { ApiKeyRecord, UsagePeriod } from '../../../src/storage/records.ts'
import { createRecordedRows, type RecordedRows, usageVerbs } from '../../support/memory-recording.ts'

/** Of a write: it happens; it fails; it happens but seems to fail; the process is killed before, or after it. */
export type Fate = 'done' | 'refused' | 'unanswered' | 'killed before' | 'killed after'

export type Store = Pick<UsageStore, 'record' | 'checkpoint' | 'touch'>

const never = () => new Promise<never>(() => undefined)

/**
 * The store as one process sees it.
 *
 * @param fates of its writes, in order; those after them are done
 */
export function storeOf(rows: RecordedRows, fates: Fate[] = [], keys = new Map<string, ApiKeyRecord>()) {
  const verbs = usageVerbs(rows, keys)
  const death = Promise.withResolvers<void>()
  let isDead = false
  const touched: { keyId: string; at: number }[][] = []

  async function write<R>(act: () => R): Promise<R> {
    await Promise.resolve()
    if (isDead) return never()
    const fate = fates.shift() ?? 'done'
    if (fate === 'refused') throw new Error('locked')
    if (fate === 'killed before' || fate === 'killed after') {
      isDead = true
      if (fate === 'killed after') act()
      death.resolve()
      return never()
    }
    const answer = act()
    if (fate === 'unanswered') throw new Error('timed out')
    return answer
  }

  const store: Store = {
    record: (given) => write(() => verbs.record(given)),
    checkpoint: async (journal) => (isDead ? never() : verbs.checkpoint(journal)),
    touch: (uses) => write(() => void touched.push([...uses])),
  }
  return { store, fates, touched, death: death.promise }
}

/** A database that never answers. */
export const STUCK: Store = { record: never, checkpoint: never, touch: never }

/** All recorders here are of the same one, unless a test says otherwise. */
export const DATABASE: DatabaseIdentity = { id: 'this-one', find: async () => 'this-one' }

export interface RecorderSetup {
  readonly store?: Store
  readonly clock?: () => number
  readonly journal?: string | null
  readonly batchSize?: number
  readonly flushInterval?: number
  readonly bounds?: Partial<UsageBounds>
  readonly identity?: DatabaseIdentity
}

export function openRecorder(setup: RecorderSetup = {}) {
  const rows = createRecordedRows()
  const warnings: string[] = []
  const recorder = new UsageRecorder({
    store: setup.store ?? storeOf(rows).store,
    clock: setup.clock ?? (() => START),
    warn: (message) => warnings.push(message),
    flushInterval: setup.flushInterval ?? 1000,
    batchSize: setup.batchSize ?? 200,
    journalDirectory: setup.journal ?? null,
    bounds: { ...USAGE_BOUNDS, ...setup.bounds },
    random: () => 0,
    identity: setup.identity ?? DATABASE,
  })
  return { recorder, warnings, rows }
}

/** A whole day, so that hours and minutes begin with it. */
export const START = Date.UTC(2030, 0, 15)

/** The requests of all rows of a period, by whether they are of keys or of all together. */
export function requestsOf({ usage }: RecordedRows, period: UsagePeriod, of: 'keys' | 'all'): number {
  return [...usage.values()]
    .filter((row) => row.period === period && (row.keyId === '*') === (of === 'all'))
    .reduce((sum, { requests }) => sum + requests, 0)
}
