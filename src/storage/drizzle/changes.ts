import { gt, sql } from 'drizzle-orm'
import type { ChangeStore } from '../ports/changes.ts'
import type { ChangeKind } from '../records.ts'
import { CHANGES_CHANNEL, type Database, once } from './database.ts'
import type { Handle } from './handle.ts'
import { wholeParameter } from './parameters.ts'
import { rowsOf, type Steps } from './transaction.ts'

export interface NewChange {
  readonly at: number
  readonly kind: ChangeKind
  readonly subject: string
}

/** Characters of a subject that other processes take by `pg_notify`; they read a longer one in the log. */
const LONGEST_TOLD = 256

/** ms */
const DAY = 86_400_000
/** More than any number of the log. */
const LARGEST = Number.MAX_SAFE_INTEGER

/** What a transaction has recorded so far, where somebody wants to hear of it. */
const recorded = new WeakMap<Handle, NewChange[]>()

/**
 * The step of a transaction that records a change, so that no process can see the one without the other. On PostgreSQL
 * it also tells other processes where that is asked for: they hear it when the transaction commits, and not otherwise.
 */
export function* recordChange({ tables, notify }: Database, tx: Handle, change: NewChange): Steps<void> {
  const insert = tx.insert(tables.changes).values(change)
  const { kind, subject } = change
  // In one statement, which is one way to the server and back.
  if (notify === true && subject.length <= LONGEST_TOLD) {
    yield insert.returning({ told: sql`pg_notify(${CHANGES_CHANNEL}::text, ${`${kind} ${subject}`}::text)::text` })
  } else yield insert
  recorded.get(tx)?.push(change)
}

/**
 * The same database, telling of each change when its transaction has committed, and of none that was undone.
 *
 * @param onCommitted waited for by nobody; what it throws harms nothing
 */
export function tellingChanges(database: Database, onCommitted: (change: NewChange) => void): Database {
  function tell(change: NewChange): void {
    try {
      onCommitted(change)
    } catch {
      // The write is done, and every process reads of it in the log.
    }
  }
  return {
    ...database,
    async transaction(body) {
      const changes: NewChange[] = []
      const answer = await database.transaction((tx) => {
        // A driver may begin anew.
        changes.length = 0
        recorded.set(tx, changes)
        return body(tx)
      })
      for (const change of changes) tell(change)
      return answer
    },
  }
}

/**
 * Runs one guarded write and records one change in the log, both in one transaction. A write that took nothing records
 * nothing. What is taken from a user as a whole is one change of kind `user`, however many rows it had.
 *
 * @param write must answer the rows it changed (`returning`)
 * @param change or what it is, where only the (first) changed row tells
 */
export function recordingChanges<Row>(
  database: Database,
  write: (tx: Handle) => PromiseLike<readonly Row[]>,
  change: NewChange | ((changed: Row) => NewChange),
): Promise<readonly Row[]> {
  return database.transaction(function* (tx) {
    const taken = yield* rowsOf(write(tx))
    const [first] = taken
    if (first !== undefined) {
      yield* recordChange(database, tx, typeof change === 'function' ? change(first) : change)
    }
    return taken
  })
}

export function createChangeStore({ handle, tables, version }: Database): ChangeStore {
  const { changes } = tables
  const newest = sql<number | null>`(select max(${changes.sequence}) from ${changes})`.mapWith(Number)
  const oldest = sql<number | null>`(select min(${changes.sequence}) from ${changes})`.mapWith(Number)
  const one = sql`(select 1) as one`

  const latest = once(() => handle.select({ newest }).from(one).prepare())
  // One statement, so that a prune in between cannot hide itself.
  const since = once(() =>
    handle
      .select({ newest, oldest, change: changes })
      .from(one)
      .leftJoin(changes, gt(changes.sequence, wholeParameter('sequence')))
      .prepare(),
  )

  return {
    version,

    async latest() {
      const [row] = await latest().execute()
      return row?.newest ?? 0
    },

    async since(sequence) {
      const rows = await since().execute({ sequence })
      const bounds = rows[0]
      const first = bounds?.oldest ?? 1
      const last = bounds?.newest ?? 0
      return {
        // Here, since databases sort them anew that are found in order.
        changes: rows
          .flatMap(({ change }) => (change === null ? [] : [change]))
          .sort((one, other) => one.sequence - other.sequence),
        // Older than the oldest row: some were pruned. Beyond the newest: the database was replaced or restored.
        complete: sequence >= first - 1 && sequence <= last,
      }
    },

    async prune(before) {
      const { sequence, at } = changes
      // Up to the first row that is not old, so that no clock of a writer leaves a hole in the middle, of which `since`
      // could not know. A row of the day after tomorrow is dated wrong, and holds nothing up.
      const kept = sql`select min(${sequence}) from ${changes} where ${at} >= ${before} and ${at} < ${before + 2 * DAY}`
      // The newest of the old rows stays: by its number `since` knows how far the log was pruned.
      const marker = sql`select max(${sequence}) from ${changes} where ${sequence} < coalesce((${kept}), ${LARGEST})`
      await handle.delete(changes).where(sql`${sequence} < (${marker})`)
    },
  }
}
