/** What every verb of every port does: decides whether it may be tried again, and what its failures say. */
import type { PortName } from '../observed.ts'
import type { Storage } from '../ports.ts'

/**
 * `read` changes nothing, so that it may be tried again. A `report` is a read that looks through much: that it takes long
 * says nothing about the database. A `watch` is a read that comes all the time and is not waited for as long: one in vain
 * says that the connections may be dead.
 */
export type VerbKind = 'read' | 'watch' | 'report' | 'write'

type Verbs<Port> = { readonly [Name in keyof Port]: VerbKind }
export type KindsOf<Port> = Verbs<Omit<Port, 'version'>>

export const VERB_KINDS = {
  keys: {
    insert: 'write',
    find: 'read',
    findMany: 'read',
    findWithOwner: 'read',
    list: 'report',
    revoke: 'write',
    countSelected: 'report',
    revokeSelected: 'write',
    update: 'write',
    rotate: 'write',
    findByIdStart: 'read',
    findByLookup: 'read',
    count: 'report',
    countByOrganization: 'report',
    claimExpiryWarnings: 'write',
    rehash: 'write',
    countUnknownPeppers: 'report',
    foreignPeppers: 'report',
    claimCredits: 'write',
    giveBackCredits: 'write',
  },
  organizations: {
    count: 'read',
    insert: 'write',
    find: 'read',
    findByName: 'read',
    list: 'read',
    update: 'write',
  },
  users: {
    insert: 'write',
    find: 'read',
    findByEmail: 'read',
    findWithOrganization: 'read',
    list: 'read',
    update: 'write',
    upgradePasswordHash: 'write',
  },
  signingKeys: { ensureCurrent: 'write', list: 'read', rotate: 'write' },
  refreshFamilies: {
    insert: 'write',
    find: 'read',
    rotate: 'write',
    revoke: 'write',
    revokeByUser: 'write',
    purge: 'write',
  },
  bearerTokens: {
    insert: 'write',
    findWithOwner: 'read',
    list: 'read',
    revoke: 'write',
    rehash: 'write',
    countUnknownPeppers: 'report',
  },
  sessions: {
    insert: 'write',
    findByHash: 'read',
    exists: 'read',
    listByUser: 'read',
    touch: 'write',
    delete: 'write',
    deleteByUser: 'write',
    purge: 'write',
  },
  roles: { list: 'read', put: 'write', delete: 'write' },
  permissions: { list: 'read', sync: 'write' },
  audit: {
    append: 'write',
    list: 'report',
    listUnsealed: 'read',
    listSealed: 'read',
    findMark: 'read',
    seal: 'write',
    replaceMark: 'write',
    purge: 'write',
  },
  idempotency: { claim: 'write', complete: 'write', release: 'write', purge: 'write' },
  blocks: { put: 'write', find: 'read', delete: 'write', listActive: 'read', list: 'read', purge: 'write' },
  quotas: { claim: 'write', giveBack: 'write', used: 'read', purge: 'write' },
  loginAddresses: { remember: 'write', knows: 'read', purge: 'write' },
  changes: { latest: 'watch', since: 'watch', prune: 'write' },
  usage: {
    record: 'write',
    checkpoint: 'read',
    accept: 'write',
    touch: 'write',
    sumsOfKey: 'report',
    overall: 'report',
    busiestKeys: 'report',
    purge: 'write',
    purgeReceipts: 'write',
    purgeCheckpoints: 'write',
  },
  requestLog: { append: 'write', list: 'report', purge: 'write' },
} as const satisfies { readonly [Name in PortName]: KindsOf<Storage[Name]> }
