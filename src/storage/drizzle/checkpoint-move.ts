import { and, eq, sql } from 'drizzle-orm'
import { START_OF_JOURNAL, type UsageCheckpoint } from '../ports/usage.ts'
import type { Database } from './database.ts'
import type { Handle } from './handle.ts'
import { wholeParameter } from './parameters.ts'
import { createPreparedStep } from './prepared-steps.ts'
import type { Steps } from './transaction.ts'

/** Answers what moves a checkpoint if it still stands at `from`: of racing callers the row lets one through. */
export function createCheckpointMove(database: Database) {
  const { usageCheckpoints: table } = database.tables
  const { journal, position, target, written } = table
  const from = sql`(${wholeParameter('fromPosition')}, ${wholeParameter('fromTarget')}, ${wholeParameter('fromWritten')})`
  const stands = sql`(${position}, ${target}, ${written}) = ${from}`
  const moved = { journal }
  const set = {
    position: wholeParameter('position'),
    target: wholeParameter('target'),
    written: wholeParameter('written'),
    updatedAt: wholeParameter('now'),
  }

  const update = createPreparedStep(database, (tx) =>
    tx
      .update(table)
      .set(set)
      .where(and(eq(journal, sql.placeholder('journal')), stands))
      .returning(moved)
      .prepare(),
  )
  const begin = createPreparedStep(database, (tx) =>
    tx
      .insert(table)
      .values({ journal: sql.placeholder('journal'), ...set })
      .onConflictDoUpdate({ target: journal, set, setWhere: stands })
      .returning(moved)
      .prepare(),
  )

  return function* move(
    tx: Handle,
    name: string,
    from: UsageCheckpoint,
    to: UsageCheckpoint,
    now: number,
  ): Steps<boolean> {
    const step = Bun.deepEquals({ ...START_OF_JOURNAL }, { ...from }) ? begin : update
    const moved = yield* step(tx, {
      journal: name,
      fromPosition: from.position,
      fromTarget: from.target,
      fromWritten: from.written,
      position: to.position,
      target: to.target,
      written: to.written,
      now,
    })
    return moved.length > 0
  }
}
