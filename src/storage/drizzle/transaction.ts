/**
 * Transactions written once for every driver.
 *
 * Drizzle's `bun-sqlite` transaction is synchronous (an `async` callback would commit before its second statement),
 * that of every other driver is not. So a transaction is a generator: it yields statements and gets their rows, and
 * the driver decides whether anything is awaited in between.
 */
import type { Handle } from './handle.ts'

/** A statement that runs when asked for: a Drizzle query, or a function for what has no query builder. */
export type Step = PromiseLike<unknown> | (() => unknown)
export type Steps<T> = Generator<Step, T, unknown>
export type Transaction = <T>(body: (tx: Handle) => Steps<T>) => Promise<T>

/** Yields one statement and answers its rows. The cast gives back the type that `yield` cannot carry. */
export function* rowsOf<Row>(statement: PromiseLike<readonly Row[]>): Steps<readonly Row[]> {
  return (yield statement) as readonly Row[]
}

/** A statement that is put together once and run with different values. */
export interface Prepared<Answer> {
  execute(values: Record<string, unknown>): PromiseLike<Answer>
}

/** Runs a prepared statement and answers what it answers. The cast is as in `rowsOf`. */
export function* stepOf<Answer>(statement: Prepared<Answer>, values: Record<string, unknown>): Steps<Answer> {
  const run = () => {
    const running: object = statement.execute(values)
    // On a synchronous driver a promise comes too late.
    return 'sync' in running && typeof running.sync === 'function' ? running.sync() : running
  }
  return (yield run) as Answer
}

/** SQLite's queries have `all()`, which is synchronous on synchronous drivers; PostgreSQL's are awaited. */
function execute(step: Step): unknown {
  if (typeof step === 'function') return step()
  return 'all' in step && typeof step.all === 'function' ? step.all() : step
}

export function runSync<T>(steps: Steps<T>): T {
  let next = steps.next()
  while (next.done !== true) next = steps.next(execute(next.value))
  return next.value
}

export async function runAsync<T>(steps: Steps<T>): Promise<T> {
  let next = steps.next()
  while (next.done !== true) next = steps.next(await execute(next.value))
  return next.value
}

/** Lets one transaction begin only when the one before it is over: for drivers that share one connection. */
export function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = tail.then(work, work)
    tail = result.catch(() => undefined)
    return result
  }
}
