/** Storage that goes away, comes back, and answers late, when a test says so. */
import { MachineAuthError } from '../../src/errors.ts'
import type { Storage } from '../../src/storage/ports.ts'

/** A call whose answer is read already, and given later. */
export interface Held {
  /** Resolves when the answer was read. */
  readonly reached: Promise<void>
  release(): void
}

export interface Outage {
  /** Whether every verb is refused, as by a database that does not answer. */
  isAway: boolean
  /** Verbs that are answered all the same. */
  readonly spared: Set<string>
  /** Verbs that were asked meanwhile, as `users.find`. */
  readonly asked: string[]
  /** Has the next call of a verb answer late, by what it reads now. */
  hold(verb: string): Held
}

/** Answers at once in every store, and asks no table. */
const SYNCHRONOUS = 'version'

type Verb = (...given: unknown[]) => unknown

function isVerb(member: unknown): member is Verb {
  return typeof member === 'function'
}

export function withOutages(storage: Storage): { readonly storage: Storage; readonly outage: Outage } {
  const held = new Map<string, (answer: unknown) => Promise<unknown>>()
  const outage: Outage = {
    isAway: false,
    spared: new Set(),
    asked: [],
    hold(verb) {
      const reached = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      held.set(verb, async (answer) => {
        reached.resolve()
        await released.promise
        return answer
      })
      return { reached: reached.promise, release: released.resolve }
    },
  }

  async function call(name: string, verb: () => unknown): Promise<unknown> {
    if (outage.isAway && !outage.spared.has(name)) {
      outage.asked.push(name)
      throw new MachineAuthError('storage_unavailable', { retryAfter: 1 })
    }
    const answer = await verb()
    const late = held.get(name)
    held.delete(name)
    return late === undefined ? answer : late(answer)
  }

  function over<Port extends object>(port: Port, name: string): Port {
    return new Proxy(port, {
      get(target, member) {
        const found: unknown = Reflect.get(target, member, target)
        if (!isVerb(found) || member === SYNCHRONOUS) return found
        return (...given: unknown[]) => call(`${name}.${String(member)}`, () => found.apply(target, given))
      },
    })
  }

  const wrapped = Object.entries(storage).map(([name, member]: [string, unknown]) => {
    if (typeof member === 'object' && member !== null) return [name, over(member, name)]
    return [name, name === 'ping' && isVerb(member) ? () => call(name, member) : member]
  })
  // The same members with the same signatures, which `Object.fromEntries` cannot say.
  return { storage: Object.fromEntries(wrapped) as Storage, outage }
}
