/** Storage that tells how long its verbs take, and which of them fail. */
import { MachineAuthError } from '../errors.ts'
import type { Storage } from './ports.ts'

/** The parts of storage that have verbs. */
export type PortName = Exclude<keyof Storage, 'dialect' | 'ping' | 'close'>

export interface StorageMeter {
  /** @param elapsed ms @param isFailure whether it was storage's fault, and not that of what it was asked */
  verb(port: PortName, elapsed: number, isFailure: boolean): void
}

type Verb = (...given: unknown[]) => unknown

function isVerb(member: unknown): member is Verb {
  return typeof member === 'function'
}

function isFailure(error: unknown): boolean {
  return !(error instanceof MachineAuthError) || error.code === 'storage_unavailable' || error.code === 'internal_error'
}

/**
 * @param meter must not throw
 * @param stopwatch ms from any moment on, never backwards
 */
export function observed(
  storage: Storage,
  meter: StorageMeter,
  stopwatch: () => number = () => performance.now(),
): Storage {
  function observe(name: PortName, target: object, verb: Verb): Verb {
    return (...given) => {
      const start = stopwatch()
      const answer = verb.apply(target, given)
      // What answers at once has asked no table.
      if (!(answer instanceof Promise)) return answer
      // Beside the answer, so that nobody waits a turn longer for it.
      answer.then(
        () => meter.verb(name, stopwatch() - start, false),
        (error: unknown) => meter.verb(name, stopwatch() - start, isFailure(error)),
      )
      return answer
    }
  }

  function over<Name extends PortName>(name: Name): Storage[Name] {
    const verbs = new Map<string | symbol, Verb>()
    return new Proxy(storage[name], {
      get(target, member) {
        const known = verbs.get(member)
        if (known !== undefined) return known
        const found: unknown = Reflect.get(target, member, target)
        if (!isVerb(found)) return found
        const verb = observe(name, target, found)
        verbs.set(member, verb)
        return verb
      },
    })
  }

  return {
    dialect: storage.dialect,
    keys: over('keys'),
    organizations: over('organizations'),
    users: over('users'),
    signingKeys: over('signingKeys'),
    refreshFamilies: over('refreshFamilies'),
    bearerTokens: over('bearerTokens'),
    sessions: over('sessions'),
    roles: over('roles'),
    permissions: over('permissions'),
    audit: over('audit'),
    idempotency: over('idempotency'),
    blocks: over('blocks'),
    quotas: over('quotas'),
    loginAddresses: over('loginAddresses'),
    changes: over('changes'),
    usage: over('usage'),
    requestLog: over('requestLog'),
    ping: () => storage.ping(),
    close: () => storage.close(),
  }
}
