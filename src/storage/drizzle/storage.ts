import { sql } from 'drizzle-orm'
import type { Storage } from '../ports.ts'
import { createKeyStore } from './api-keys.ts'
import { createAuditStore } from './audit.ts'
import { createBearerTokenStore } from './bearer-tokens.ts'
import { createBlockStore } from './blocks.ts'
import { createChangeStore } from './changes.ts'
import type { Database } from './database.ts'
import { storageUnavailable, translateError } from './errors.ts'
import { createIdempotencyStore } from './idempotency.ts'
import { createLoginAddressStore } from './login-addresses.ts'
import { createOrganizationStore } from './organizations.ts'
import { createPermissionStore } from './permissions.ts'
import { createQuotaStore } from './quotas.ts'
import { createRefreshFamilyStore } from './refresh-families.ts'
import { createRequestLogStore } from './request-log.ts'
import { createRoleStore } from './roles.ts'
import { createSessionStore } from './sessions.ts'
import { createSigningKeyStore } from './signing-keys.ts'
import { createUsageStore } from './usage.ts'
import { createUserStore } from './users.ts'

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

type Verb = (...args: never[]) => Promise<unknown>

/** Wraps every verb of a store: driver errors become ours, and none hangs on a database that does not answer. */
function guarded<S extends object>(store: S, timeout: number | null): S {
  const guard =
    (verb: Verb): Verb =>
    async (...args) => {
      try {
        const work = verb.apply(store, args)
        return await (timeout === null ? work : withTimeout(work, timeout))
      } catch (error) {
        throw translateError(error)
      }
    }
  // The same names with the same signatures, which `Object.fromEntries` cannot say.
  return Object.fromEntries(Object.entries(store).map(([name, verb]) => [name, guard(verb)])) as S
}

/** Puts the repositories of one database together. */
export function createStorage(database: Database): Storage {
  const { dialect, handle, timeout, version, close, background = database } = database
  const { version: _, ...changes } = createChangeStore(database)
  const probe = {
    async ping() {
      await handle.select({ one: sql`1` }).from(sql`(select 1) as one`)
    },
  }

  return {
    dialect,
    keys: guarded(createKeyStore(database), timeout),
    organizations: guarded(createOrganizationStore(database), timeout),
    users: guarded(createUserStore(database), timeout),
    signingKeys: guarded(createSigningKeyStore(database), timeout),
    refreshFamilies: guarded(createRefreshFamilyStore(database), timeout),
    bearerTokens: guarded(createBearerTokenStore(database), timeout),
    sessions: guarded(createSessionStore(database), timeout),
    roles: guarded(createRoleStore(database), timeout),
    permissions: guarded(createPermissionStore(database), timeout),
    audit: guarded(createAuditStore(database), timeout),
    idempotency: guarded(createIdempotencyStore(database), timeout),
    blocks: guarded(createBlockStore(database), timeout),
    quotas: guarded(createQuotaStore(database), timeout),
    loginAddresses: guarded(createLoginAddressStore(database), timeout),
    changes: { ...guarded(changes, timeout), version },
    usage: guarded(createUsageStore(background), timeout),
    requestLog: guarded(createRequestLogStore(background), timeout),
    ...guarded(probe, timeout),
    close,
  }
}
