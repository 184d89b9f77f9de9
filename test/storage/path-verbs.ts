/** What a request, a flush of what requests left behind, and a login ask storage for. */
import { START_OF_JOURNAL } from '../../src/storage/ports/usage.ts'
import type { Storage } from '../../src/storage/ports.ts'
import {
  aBlock,
  aFamily,
  aKey,
  anEntry,
  anEvent,
  anOrganization,
  aSession,
  aToken,
  aUsage,
  aUser,
  NOW,
} from '../contract/fixtures.ts'

export interface PathVerb {
  readonly call: (storage: Storage) => Promise<unknown>
  /** How rows are chosen where it is not one of each table, by all columns of a unique index. */
  readonly range?: RegExp
  /** Why its statements are put together for each call. */
  readonly isBuilt?: 'it takes something away, which is rare' | 'it is for creating through the management API'
}

const QUOTA = { subject: 'key:1', period: '2030-01', amount: 1, limit: 100 }
const CLAIM = { principal: 'user_1', endpoint: 'POST /keys', key: 'one' }
const REVOCATION = 'it takes something away, which is rare'
const CREATION = 'it is for creating through the management API'

/** Each in its usual course; none changes what another one needs. */
export const PATH: Readonly<Record<string, PathVerb>> = {
  'keys.findWithOwner': { call: ({ keys }) => keys.findWithOwner('key_1') },
  'keys.findByLookup': { call: ({ keys }) => keys.findByLookup(['one', 'two']) },
  'keys.claimCredits': { call: ({ keys }) => keys.claimCredits('key_1', 1, NOW) },
  'keys.giveBackCredits': { call: ({ keys }) => keys.giveBackCredits('key_1', 1, 0) },
  'organizations.find': { call: ({ organizations }) => organizations.find('org_1') },
  'users.find': { call: ({ users }) => users.find('user_1') },
  'users.findByEmail': { call: ({ users }) => users.findByEmail('user_1@example.com') },
  'users.findWithOrganization': { call: ({ users }) => users.findWithOrganization('user_1') },
  'users.upgradePasswordHash': { call: ({ users }) => users.upgradePasswordHash('user_1', 'other', 'new') },
  'refreshFamilies.insert': { call: ({ refreshFamilies }) => refreshFamilies.insert(aFamily()) },
  'refreshFamilies.find': { call: ({ refreshFamilies }) => refreshFamilies.find('rt_1') },
  'refreshFamilies.rotate': { call: ({ refreshFamilies }) => refreshFamilies.rotate('rt_1', 0, NOW, NOW) },
  'refreshFamilies.revoke': {
    call: ({ refreshFamilies }) => refreshFamilies.revoke('rt_2', 'logout', NOW),
    isBuilt: REVOCATION,
  },
  'bearerTokens.findWithOwner': { call: ({ bearerTokens }) => bearerTokens.findWithOwner('tok_1') },
  'sessions.insert': { call: ({ sessions }) => sessions.insert(aSession({ userId: 'user_1' })) },
  'sessions.findByHash': { call: ({ sessions }) => sessions.findByHash('hash') },
  'sessions.exists': { call: ({ sessions }) => sessions.exists('sess_1') },
  'sessions.touch': { call: ({ sessions }) => sessions.touch('sess_1', NOW + 1) },
  'sessions.delete': { call: ({ sessions }) => sessions.delete('sess_2'), isBuilt: REVOCATION },
  'audit.append': { call: ({ audit }) => audit.append(anEvent()) },
  'idempotency.claim': {
    call: ({ idempotency }) =>
      idempotency.claim({ ...CLAIM, fingerprint: 'f', answer: null, createdAt: NOW, expiresAt: NOW + 1 }),
    isBuilt: CREATION,
  },
  'idempotency.complete': { call: ({ idempotency }) => idempotency.complete(CLAIM, {}), isBuilt: CREATION },
  'idempotency.release': { call: ({ idempotency }) => idempotency.release(CLAIM), isBuilt: CREATION },
  'blocks.put': { call: ({ blocks }) => blocks.put(aBlock()), isBuilt: REVOCATION },
  'blocks.find': { call: ({ blocks }) => blocks.find('blk_1') },
  'blocks.listActive': {
    call: ({ blocks }) => blocks.listActive(NOW),
    range: /blocks_expires_idx \(\(?expires_at ?> ?/,
  },
  'quotas.claim': { call: ({ quotas }) => quotas.claim(QUOTA) },
  'quotas.giveBack': { call: ({ quotas }) => quotas.giveBack(QUOTA.subject, QUOTA.period, 1) },
  'quotas.used': { call: ({ quotas }) => quotas.used(QUOTA.subject, QUOTA.period) },
  'loginAddresses.knows': { call: ({ loginAddresses }) => loginAddresses.knows('user_1', '192.0.2.1') },
  'loginAddresses.remember': {
    call: ({ loginAddresses }) => loginAddresses.remember('user_1', '192.0.2.1', NOW, 3),
    // Of equal times the addresses decide, which are a few at most.
    range: /account\W*=|TEMP B-TREE FOR LAST TERM OF ORDER BY|Incremental Sort/,
  },
  'changes.latest': {
    call: ({ changes }) => changes.latest(),
    range: /^SEARCH machine_auth_changes$|^machine_auth_changes_pkey /,
  },
  'changes.since': {
    call: ({ changes }) => changes.since(0),
    range:
      /^SEARCH machine_auth_changes( USING INTEGER PRIMARY KEY \(rowid>\?\) LEFT-JOIN)?$|^machine_auth_changes_pkey /,
  },
  'usage.record': {
    call: ({ usage }) =>
      usage.record({
        journal: 'one',
        from: START_OF_JOURNAL,
        to: START_OF_JOURNAL,
        rows: [aUsage({ keyId: 'key_1' })],
        now: NOW,
      }),
  },
  'usage.checkpoint': { call: ({ usage }) => usage.checkpoint('one') },
  'usage.accept': {
    call: ({ usage }) => usage.accept([{ keyId: 'key_1', id: 'one', at: NOW }], () => [], NOW),
  },
  'usage.touch': { call: ({ usage }) => usage.touch([{ keyId: 'key_1', at: NOW }]) },
  'requestLog.append': { call: ({ requestLog }) => requestLog.append([anEntry()]) },
}

/** What is asked for by administrators, at a start, by upkeep, or once for each key after a rotation of secrets. */
export const ASIDE: Readonly<Record<string, readonly string[]>> = {
  keys: ['insert', 'find', 'findMany', 'list', 'revoke', 'countSelected', 'revokeSelected', 'update', 'rotate']
    .concat(['findByIdStart', 'count', 'countByOrganization', 'claimExpiryWarnings', 'rehash'])
    .concat(['countUnknownPeppers', 'foreignPeppers']),
  organizations: ['count', 'insert', 'findByName', 'list', 'update'],
  users: ['insert', 'list', 'update'],
  signingKeys: ['ensureCurrent', 'list', 'rotate'],
  refreshFamilies: ['revokeByUser', 'purge'],
  bearerTokens: ['insert', 'list', 'revoke', 'rehash', 'countUnknownPeppers'],
  sessions: ['listByUser', 'deleteByUser', 'purge'],
  roles: ['list', 'put', 'delete'],
  permissions: ['list', 'sync'],
  audit: ['list', 'listUnsealed', 'listSealed', 'findMark', 'seal', 'replaceMark', 'purge'],
  idempotency: ['purge'],
  blocks: ['delete', 'list', 'purge'],
  quotas: ['purge'],
  loginAddresses: ['purge'],
  changes: ['prune'],
  usage: ['sumsOfKey', 'overall', 'busiestKeys', 'purge', 'purgeReceipts', 'purgeCheckpoints'],
  requestLog: ['list', 'purge'],
}

/** Stores what the verbs look for. */
export async function fillForPath(storage: Storage): Promise<void> {
  const { organizations, users, keys, refreshFamilies, bearerTokens, sessions, blocks, quotas } = storage
  await organizations.insert(anOrganization({ id: 'org_1' }))
  await users.insert(aUser({ id: 'user_1', email: 'user_1@example.com', organizationId: 'org_1' }))
  await keys.insert(aKey({ id: 'key_1', userId: 'user_1', credits: 1000 }))
  await keys.insert(aKey({ id: 'key_imported', lookup: 'one' }))
  for (const id of ['rt_1', 'rt_2']) await refreshFamilies.insert(aFamily({ id, userId: 'user_1' }))
  await bearerTokens.insert(aToken({ id: 'tok_1', userId: 'user_1' }))
  await sessions.insert(aSession({ id: 'sess_1', hash: 'hash', userId: 'user_1' }))
  await sessions.insert(aSession({ id: 'sess_2', hash: 'other', userId: 'user_1' }))
  await blocks.put(aBlock({ id: 'blk_1', expiresAt: NOW + 1 }))
  await quotas.claim(QUOTA)
}
