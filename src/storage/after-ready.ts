/** Storage that may be used at once: what is asked of it before it is ready waits until it is. */
import type { Storage } from './ports.ts'

type Verb = (...given: unknown[]) => unknown

function isVerb(member: unknown): member is Verb {
  return typeof member === 'function'
}

/** The one verb that answers at once, and may: it asks nothing of tables that may not be there yet. */
const SYNCHRONOUS = new Set<string | symbol>(['version'])

function waitFor<T extends object>(port: T, ready: Promise<void>, isReady: () => boolean): T {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (!isVerb(member)) return member
      if (isReady() || SYNCHRONOUS.has(name)) return member.bind(target)
      return (...given: unknown[]) => ready.then(() => member.apply(target, given))
    },
  })
}

/**
 * @param ready resolves when the database is migrated; when it rejects, every verb rejects with the same reason
 */
export function afterReady(storage: Storage, ready: Promise<void>): Storage {
  let done = false
  ready.then(
    () => {
      done = true
    },
    () => undefined,
  )
  const wait = <T extends object>(port: T): T => waitFor(port, ready, () => done)
  return {
    dialect: storage.dialect,
    keys: wait(storage.keys),
    organizations: wait(storage.organizations),
    users: wait(storage.users),
    signingKeys: wait(storage.signingKeys),
    refreshFamilies: wait(storage.refreshFamilies),
    bearerTokens: wait(storage.bearerTokens),
    sessions: wait(storage.sessions),
    roles: wait(storage.roles),
    permissions: wait(storage.permissions),
    audit: wait(storage.audit),
    idempotency: wait(storage.idempotency),
    blocks: wait(storage.blocks),
    quotas: wait(storage.quotas),
    loginAddresses: wait(storage.loginAddresses),
    changes: wait(storage.changes),
    usage: wait(storage.usage),
    requestLog: wait(storage.requestLog),
    ping: () => storage.ping(),
    close: () => storage.close(),
  }
}
