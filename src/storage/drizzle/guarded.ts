/** What every verb of every store has around it. */
import type { Database } from './database.ts'
import { isLocked, storageUnavailable, translateError } from './errors.ts'

/** ms between attempts at a lock, doubling from the one to the other. */
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 32

type Verb = (...args: never[]) => Promise<unknown>
type Limits = Pick<Database, 'timeout' | 'lockPatience'>

/** Gives up after `timeout` ms; the statement may still take effect. */
async function withTimeout<T>(work: Promise<T>, timeout: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(storageUnavailable('The database did not answer in time.')), timeout)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Tries again while another process holds the lock, everything else having its turn in between. Nothing was done then:
 * each write is one statement, or a transaction that takes the lock before anything else.
 *
 * @param patience ms
 */
async function whileLocked<T>(run: () => Promise<T>, patience: number): Promise<T> {
  const start = performance.now()
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return await run()
    } catch (error) {
      if (!isLocked(error) || performance.now() - start >= patience) throw error
    }
    await Bun.sleep(pause)
  }
}

/** Wraps every verb of a store: driver errors become ours, and none hangs on a database that does not answer. */
export function guarded<S extends object>(store: S, { timeout, lockPatience }: Limits): S {
  const guard =
    (verb: Verb): Verb =>
    async (...args) => {
      try {
        if (lockPatience > 0) return await whileLocked(() => verb.apply(store, args), lockPatience)
        const work = verb.apply(store, args)
        return await (timeout === null ? work : withTimeout(work, timeout))
      } catch (error) {
        throw translateError(error)
      }
    }
  // The same names with the same signatures, which `Object.fromEntries` cannot say.
  return Object.fromEntries(Object.entries(store).map(([name, verb]) => [name, guard(verb)])) as S
}
