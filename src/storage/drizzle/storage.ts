import { sql } from 'drizzle-orm'
import type { Storage } from '../ports.ts'
import { createKeyStore } from './api-keys.ts'
import { createAuditStore } from './audit.ts'
import { createBearerTokenStore } from './bearer-tokens.ts'
import { createBlockStore } from './blocks.ts'
import { createChangeStore } from './changes.ts'
import type { Database } from './database.ts'
import { guarded } from './guarded.ts'
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

/** Puts the repositories of one database together. */
export function createStorage(database: Database): Storage {
  const { dialect, handle, version, close, background = database } = database
  const { version: _, ...changes } = createChangeStore(database)
  const recorded = guarded(createUsageStore(background), background)
  const log = guarded(createRequestLogStore(background), background)
  const probe = {
    async ping() {
      await handle.select({ one: sql`1` }).from(sql`(select 1) as one`)
    },
  }

  return {
    dialect,
    keys: guarded(createKeyStore(database), database),
    organizations: guarded(createOrganizationStore(database), database),
    users: guarded(createUserStore(database), database),
    signingKeys: guarded(createSigningKeyStore(database), database),
    refreshFamilies: guarded(createRefreshFamilyStore(database), database),
    bearerTokens: guarded(createBearerTokenStore(database), database),
    sessions: guarded(createSessionStore(database), database),
    roles: guarded(createRoleStore(database), database),
    permissions: guarded(createPermissionStore(database), database),
    audit: guarded(createAuditStore(database), database),
    idempotency: guarded(createIdempotencyStore(database), database),
    blocks: guarded(createBlockStore(database), database),
    quotas: guarded(createQuotaStore(database), database),
    loginAddresses: guarded(createLoginAddressStore(database), database),
    changes: { ...guarded(changes, database), version },
    // What somebody waits for waits for locks; only recorders write by the connection that does not.
    usage: { ...guarded(createUsageStore(database), database), record: recorded.record, touch: recorded.touch },
    requestLog: { ...guarded(createRequestLogStore(database), database), append: log.append },
    ...guarded(probe, database),
    close,
  }
}
