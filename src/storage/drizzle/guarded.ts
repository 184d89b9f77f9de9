/** What every verb of every store has around it. */
import type { Database } from './database.ts'
import { isLocked, translateError } from './errors.ts'
import type { VerbKind } from './verb-kinds.ts'
import { withTimeout } from './with-timeout.ts'

/** ms between attempts at a lock, doubling from the one to the other. */
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 32

type Verb = (...args: never[]) => Promise<unknown>
type Limits = Pick<Database, 'timeout' | 'lockPatience' | 'calls'>

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

/**
 * Wraps every verb of a store: driver errors become ours, and none hangs on a database that does not answer.
 *
 * @param kinds what the verbs do; one that is not named counts as a write
 */
export function guarded<S extends object>(
  store: S,
  { timeout, lockPatience, calls }: Limits,
  kinds: Readonly<Record<string, VerbKind>> = {},
): S {
  function start(work: () => Promise<unknown>, kind: VerbKind): Promise<unknown> {
    if (calls !== undefined) return calls.run(kind, work)
    if (lockPatience > 0) return whileLocked(work, lockPatience)
    return timeout === null ? work() : withTimeout(work, timeout)
  }
  const guard =
    (verb: Verb, kind: VerbKind): Verb =>
    async (...args) => {
      try {
        return await start(() => verb.apply(store, args), kind)
      } catch (error) {
        throw translateError(error)
      }
    }
  // The same names with the same signatures, which `Object.fromEntries` cannot say.
  return Object.fromEntries(
    Object.entries(store).map(([name, verb]) => [name, guard(verb, kinds[name] ?? 'write')]),
  ) as S
}
