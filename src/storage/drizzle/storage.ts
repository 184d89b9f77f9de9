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
import { VERB_KINDS } from './verb-kinds.ts'

/** Puts the repositories of one database together. */
export function createStorage(database: Database): Storage {
  const { dialect, handle, version, close, background = database } = database
  const { version: _, ...changes } = createChangeStore(database)
  const recorded = guarded(createUsageStore(background), background, VERB_KINDS.usage)
  const log = guarded(createRequestLogStore(background), background, VERB_KINDS.requestLog)
  const probe = {
    async ping() {
      await handle.select({ one: sql`1` }).from(sql`(select 1) as one`)
    },
  }

  return {
    dialect,
    keys: guarded(createKeyStore(database), database, VERB_KINDS.keys),
    organizations: guarded(createOrganizationStore(database), database, VERB_KINDS.organizations),
    users: guarded(createUserStore(database), database, VERB_KINDS.users),
    signingKeys: guarded(createSigningKeyStore(database), database, VERB_KINDS.signingKeys),
    refreshFamilies: guarded(createRefreshFamilyStore(database), database, VERB_KINDS.refreshFamilies),
    bearerTokens: guarded(createBearerTokenStore(database), database, VERB_KINDS.bearerTokens),
    sessions: guarded(createSessionStore(database), database, VERB_KINDS.sessions),
    roles: guarded(createRoleStore(database), database, VERB_KINDS.roles),
    permissions: guarded(createPermissionStore(database), database, VERB_KINDS.permissions),
    audit: guarded(createAuditStore(database), database, VERB_KINDS.audit),
    idempotency: guarded(createIdempotencyStore(database), database, VERB_KINDS.idempotency),
    blocks: guarded(createBlockStore(database), database, VERB_KINDS.blocks),
    quotas: guarded(createQuotaStore(database), database, VERB_KINDS.quotas),
    loginAddresses: guarded(createLoginAddressStore(database), database, VERB_KINDS.loginAddresses),
    changes: { ...guarded(changes, database, VERB_KINDS.changes), version },
    // What somebody waits for waits for locks; only recorders write by the connection that does not.
    usage: {
      ...guarded(createUsageStore(database), database, VERB_KINDS.usage),
      record: recorded.record,
      touch: recorded.touch,
    },
    requestLog: {
      ...guarded(createRequestLogStore(database), database, VERB_KINDS.requestLog),
      append: log.append,
    },
    ...guarded(probe, database, { ping: 'read' }),
    close,
  }
}
