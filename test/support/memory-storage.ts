/**
 * The storage ports in memory, with the race contracts of `src/storage/ports.ts`: every verb waits a turn, then acts
 * at once, so that concurrent callers interleave as they do on a database.
 */
import { MachineAuthError } from '../../src/errors.ts'
import { keyStatus } from '../../src/storage/key-status.ts'
import type { OrganizationOrder, OrganizationPatch, UserFilter, UserState } from '../../src/storage/ports/accounts.ts'
import type { PageRequest } from '../../src/storage/ports/page.ts'
import type { Storage } from '../../src/storage/ports.ts'
import type {
  ApiKeyRecord,
  AuditMarkRecord,
  AuditRecord,
  BearerTokenRecord,
  BlockRecord,
  ChangeKind,
  ChangeRecord,
  IdempotencyRecord,
  LoginAddressRecord,
  OrganizationRecord,
  PermissionRecord,
  QuotaRecord,
  RefreshFamilyRecord,
  RoleRecord,
  SessionRecord,
  SigningKeyRecord,
  UserRecord,
} from '../../src/storage/records.ts'
import { inheritsFrom } from '../../src/storage/role-inheritance.ts'
import { auditVerbs } from './memory-audit.ts'
import { idempotencyVerbs } from './memory-idempotency.ts'
import { keyChangeVerbs } from './memory-keys.ts'
import { blockVerbs, creditVerbs, loginAddressVerbs, quotaVerbs } from './memory-limits.ts'
import { pageOf } from './memory-page.ts'
import { createRecordedRows, type RecordedRows, requestLogVerbs, usageVerbs } from './memory-recording.ts'

export interface MemoryStorage extends Storage {
  /** Every verb called, as `users.find`. */
  readonly calls: string[]
  /** What happens once before the verb of that name acts; throwing there fails it. */
  readonly before: Map<string, () => void | Promise<void>>
  readonly rows: RecordedRows & {
    readonly keys: Map<string, ApiKeyRecord>
    readonly organizations: Map<string, OrganizationRecord>
    readonly users: Map<string, UserRecord>
    readonly signingKeys: Map<string, SigningKeyRecord>
    readonly families: Map<string, RefreshFamilyRecord>
    readonly tokens: Map<string, BearerTokenRecord>
    readonly sessions: Map<string, SessionRecord>
    readonly roles: Map<string, RoleRecord>
    readonly permissions: Map<string, PermissionRecord>
    readonly audit: Map<string, AuditRecord>
    /** By name. */
    readonly auditMarks: Map<string, AuditMarkRecord>
    readonly idempotency: Map<string, IdempotencyRecord>
    readonly blocks: Map<string, BlockRecord>
    /** By `subject period`. */
    readonly quotas: Map<string, QuotaRecord>
    /** By `account address`. */
    readonly loginAddresses: Map<string, LoginAddressRecord>
    readonly changes: ChangeRecord[]
  }
}

type Verbs = Record<string, (...args: never[]) => unknown>

function conflict(path: string): never {
  throw new MachineAuthError('conflict', { errors: [{ path, message: 'is taken' }] })
}

function insertInto<T extends { readonly id: string }>(map: Map<string, T>, row: T): void {
  if (map.has(row.id)) throw new MachineAuthError('internal_error')
  map.set(row.id, row)
}

export function createMemoryStorage(clock: () => number = Date.now): MemoryStorage {
  const rows: MemoryStorage['rows'] = {
    keys: new Map(),
    organizations: new Map(),
    users: new Map(),
    signingKeys: new Map(),
    families: new Map(),
    tokens: new Map(),
    sessions: new Map(),
    roles: new Map(),
    permissions: new Map(),
    audit: new Map(),
    auditMarks: new Map(),
    idempotency: new Map(),
    blocks: new Map(),
    quotas: new Map(),
    loginAddresses: new Map(),
    changes: [],
    ...createRecordedRows(),
  }
  const calls: string[] = []
  const before: MemoryStorage['before'] = new Map()

  function changed(kind: ChangeKind, subject: string, at: number): void {
    rows.changes.push({ sequence: rows.changes.length + 1, at, kind, subject })
  }

  function replace<T>(map: Map<string, T>, id: string, patch: Partial<T>, when: (row: T) => boolean = () => true) {
    const row = map.get(id)
    if (row === undefined || !when(row)) return null
    const next = { ...row, ...patch }
    map.set(id, next)
    return next
  }

  function endEarlier(organizationId: string, lifetime: number): void {
    const isLater = (row: ApiKeyRecord | BearerTokenRecord) =>
      row.organizationId === organizationId &&
      row.revokedAt === null &&
      (row.expiresAt ?? Number.POSITIVE_INFINITY) > row.createdAt + lifetime
    for (const { id, createdAt } of rows.keys.values()) {
      replace(rows.keys, id, { expiresAt: createdAt + lifetime, expiryWarnedAt: null }, isLater)
    }
    for (const { id, createdAt } of rows.tokens.values()) {
      replace(rows.tokens, id, { expiresAt: createdAt + lifetime }, isLater)
    }
  }

  const userOf = (id: string | null) => (id === null ? null : (rows.users.get(id) ?? null))
  const organizationOf = (id: string | null | undefined) => (id == null ? null : (rows.organizations.get(id) ?? null))

  /** Logs the call, waits a turn, and acts. The names and signatures stay those of the store. */
  function store<S extends Verbs>(name: string, verbs: S) {
    const wrap =
      (verb: string) =>
      async (...args: never[]) => {
        calls.push(`${name}.${verb}`)
        await Promise.resolve()
        const interruption = before.get(`${name}.${verb}`)
        before.delete(`${name}.${verb}`)
        await interruption?.()
        return verbs[verb]?.(...args)
      }
    // The same names with the same signatures, which `Object.fromEntries` cannot say.
    return Object.fromEntries(Object.keys(verbs).map((verb) => [verb, wrap(verb)])) as unknown as {
      [V in keyof S]: (...args: Parameters<S[V]>) => Promise<Awaited<ReturnType<S[V]>>>
    }
  }

  const creditVersions = new Map<string, number>()
  const keys = store('keys', {
    insert: (key: ApiKeyRecord) => insertInto(rows.keys, key),
    find: (id: string) => rows.keys.get(id) ?? null,
    findMany: (ids: readonly string[]) => [...rows.keys.values()].filter(({ id }) => ids.includes(id)),
    count: (now: number) => ({
      all: rows.keys.size,
      active: [...rows.keys.values()].filter((key) => keyStatus(key, now) === 'active').length,
    }),
    findWithOwner(id: string) {
      const key = rows.keys.get(id)
      if (key === undefined) return null
      const user = userOf(key.userId)
      return { key, user, organization: organizationOf(key.organizationId ?? user?.organizationId) }
    },
    list(filter: Parameters<Storage['keys']['list']>[0], page: PageRequest, now: number) {
      const { organizationId, userId, status, environment, q, sort = 'createdAt', order } = filter
      const found = [...rows.keys.values()].filter(
        (key) =>
          (organizationId === undefined || key.organizationId === organizationId) &&
          (userId === undefined || key.userId === userId) &&
          (status === undefined || keyStatus(key, now) === status) &&
          (environment === undefined || key.environment === environment) &&
          (q === undefined || `${key.name}\u001f${key.description ?? ''}`.toLowerCase().includes(q.toLowerCase())),
      )
      return pageOf(found, page, (key) => key[sort] ?? 0, order)
    },
    revoke(id: string, { at, reason, by }: { at: number; reason: string | null; by: string }) {
      const patch = { revokedAt: at, revokedReason: reason, revokedBy: by }
      const revoked = replace(rows.keys, id, patch, (key) => key.revokedAt === null)
      if (revoked !== null) changed('key', id, at)
      return revoked
    },
    rehash: (id: string, from: string, hash: string, pepper: string, lookup?: string) =>
      replace(
        rows.keys,
        id,
        { hash, pepper, ...(lookup === undefined ? {} : { lookup }) },
        (key) => key.pepper === from,
      ) !== null,
    countUnknownPeppers: (known: readonly string[]) =>
      [...rows.keys.values()].filter(
        (key) =>
          keyStatus(key, clock()) !== 'revoked' && !known.includes(key.pepper) && !key.pepper.startsWith('import:'),
      ).length,
    foreignPeppers: () => [
      ...new Set([...rows.keys.values()].flatMap(({ lookup, pepper }) => (lookup === null ? [] : [pepper]))),
    ],
    findByLookup(lookups: readonly string[]) {
      const key = [...rows.keys.values()].find(({ lookup }) => lookup !== null && lookups.includes(lookup))
      if (key === undefined) return null
      const user = userOf(key.userId)
      return { key, user, organization: organizationOf(key.organizationId ?? user?.organizationId) }
    },
    ...creditVerbs(rows.keys, creditVersions),
    ...keyChangeVerbs(rows.keys, rows.quotas, creditVersions, changed),
  })

  const organizations = store('organizations', {
    count: () => rows.organizations.size,
    insert(organization: OrganizationRecord) {
      if ([...rows.organizations.values()].some(({ name }) => name === organization.name)) conflict('name')
      insertInto(rows.organizations, organization)
    },
    find: (id: string) => rows.organizations.get(id) ?? null,
    findByName: (name: string) => [...rows.organizations.values()].find((each) => each.name === name) ?? null,
    list: ({ sort = 'createdAt', order }: OrganizationOrder, page: PageRequest) =>
      pageOf([...rows.organizations.values()], page, (each) => each[sort], order),
    update(id: string, patch: OrganizationPatch, now: number) {
      const isTaken = [...rows.organizations.values()].some((each) => each.id !== id && each.name === patch.name)
      if (isTaken) conflict('name')
      const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
      const updated = replace(rows.organizations, id, given)
      if (updated !== null && typeof patch.maxKeyLifetime === 'number') endEarlier(id, patch.maxKeyLifetime)
      if (updated !== null && Object.keys(given).length > 0) changed('organization', id, now)
      return updated
    },
  })

  const users = store('users', {
    insert(user: UserRecord) {
      if ([...rows.users.values()].some(({ email }) => email === user.email)) conflict('email')
      insertInto(rows.users, user)
    },
    find: (id: string) => rows.users.get(id) ?? null,
    findByEmail: (email: string) => [...rows.users.values()].find((user) => user.email === email) ?? null,
    findWithOrganization(id: string) {
      const user = rows.users.get(id)
      return user === undefined ? null : { user, organization: organizationOf(user.organizationId) }
    },
    list: ({ organizationId, sort = 'createdAt', order }: UserFilter, page: PageRequest) =>
      pageOf(
        [...rows.users.values()].filter(
          (user) => organizationId === undefined || user.organizationId === organizationId,
        ),
        page,
        (user) => user[sort],
        order,
      ),
    update(id: string, patch: Partial<UserRecord>, now: number, expected?: UserState) {
      const isTaken = [...rows.users.values()].some((user) => user.id !== id && user.email === patch.email)
      if (isTaken) conflict('email')
      const isStill = (user: UserRecord) =>
        expected === undefined || Bun.deepEquals({ ...user, ...expected }, { ...user })
      const updated = replace(rows.users, id, patch, isStill)
      if (updated !== null) changed('user', id, now)
      return updated
    },
    upgradePasswordHash: (id: string, from: string, to: string) =>
      replace(rows.users, id, { passwordHash: to }, (user) => user.passwordHash === from) !== null,
  })

  const signingKeys = store('signingKeys', {
    ensureCurrent(candidate: SigningKeyRecord) {
      const existing = [...rows.signingKeys.values()].find(
        (key) =>
          key.retiredAt === null &&
          key.algorithm === candidate.algorithm &&
          key.encryptionKey === candidate.encryptionKey,
      )
      if (existing !== undefined) return existing
      rows.signingKeys.set(candidate.kid, candidate)
      return candidate
    },
    list: () => [...rows.signingKeys.values()].sort((a, b) => b.createdAt - a.createdAt || (a.kid < b.kid ? 1 : -1)),
    rotate(candidate: SigningKeyRecord) {
      for (const key of rows.signingKeys.values()) {
        replace(rows.signingKeys, key.kid, { retiredAt: candidate.createdAt }, ({ retiredAt }) => retiredAt === null)
      }
      rows.signingKeys.set(candidate.kid, candidate)
    },
  })

  const refreshFamilies = store('refreshFamilies', {
    insert: (family: RefreshFamilyRecord) => insertInto(rows.families, family),
    find(id: string) {
      const family = rows.families.get(id)
      if (family === undefined) return null
      const user = userOf(family.userId)
      return { family, user, organization: organizationOf(user?.organizationId) }
    },
    rotate: (id: string, fromSequence: number, now: number, expiresAt: number) =>
      replace(
        rows.families,
        id,
        { sequence: fromSequence + 1, rotatedAt: now, expiresAt },
        (family) => family.sequence === fromSequence && family.revokedAt === null,
      ),
    revoke(id: string, reason: string, now: number) {
      const patch = { revokedAt: now, revokedReason: reason }
      const isRevoked = replace(rows.families, id, patch, (family) => family.revokedAt === null) !== null
      if (isRevoked) changed('family', id, now)
      return isRevoked
    },
    revokeByUser(userId: string, reason: string, now: number) {
      const live = [...rows.families.values()].filter((each) => each.userId === userId && each.revokedAt === null)
      for (const { id } of live) replace(rows.families, id, { revokedAt: now, revokedReason: reason })
      if (live.length > 0) changed('user', userId, now)
      return live.length
    },
    purge(limit: number) {
      const expired = [...rows.families.values()].filter(({ expiresAt }) => expiresAt < limit)
      for (const { id } of expired) rows.families.delete(id)
      return expired.length
    },
  })

  const bearerTokens = store('bearerTokens', {
    insert: (token: BearerTokenRecord) => insertInto(rows.tokens, token),
    findWithOwner(id: string) {
      const token = rows.tokens.get(id)
      if (token === undefined) return null
      const user = userOf(token.userId)
      return { token, user, organization: organizationOf(token.organizationId ?? user?.organizationId) }
    },
    list: (page: PageRequest) => pageOf([...rows.tokens.values()], page, ({ createdAt }) => createdAt),
    revoke(id: string, reason: string | null, now: number) {
      const patch = { revokedAt: now, revokedReason: reason }
      const revoked = replace(rows.tokens, id, patch, (token) => token.revokedAt === null)
      if (revoked !== null) changed('token', id, now)
      return revoked
    },
    rehash: (id: string, from: string, hash: string, pepper: string) =>
      replace(rows.tokens, id, { hash, pepper }, (token) => token.pepper === from) !== null,
    countUnknownPeppers: (known: readonly string[]) =>
      [...rows.tokens.values()].filter((token) => token.revokedAt === null && !known.includes(token.pepper)).length,
  })

  const sessions = store('sessions', {
    insert: (session: SessionRecord) => insertInto(rows.sessions, session),
    findByHash(hash: string) {
      const session = [...rows.sessions.values()].find((each) => each.hash === hash)
      if (session === undefined) return null
      const user = userOf(session.userId)
      return { session, user, organization: organizationOf(user?.organizationId) }
    },
    exists: (id: string) => rows.sessions.has(id),
    listByUser: (userId: string, now: number) =>
      [...rows.sessions.values()]
        .filter((session) => session.userId === userId && session.expiresAt > now)
        .sort((a, b) => b.createdAt - a.createdAt),
    touch(id: string, at: number) {
      replace(rows.sessions, id, { lastSeenAt: at }, (session) => session.lastSeenAt < at)
    },
    delete(id: string, userId?: string) {
      const session = rows.sessions.get(id)
      if (session === undefined || (userId !== undefined && session.userId !== userId)) return null
      rows.sessions.delete(id)
      changed('session', id, clock())
      return session
    },
    deleteByUser(userId: string, now: number) {
      const own = [...rows.sessions.values()].filter((session) => session.userId === userId)
      for (const { id } of own) rows.sessions.delete(id)
      if (own.length > 0) changed('user', userId, now)
      return own.length
    },
    purge(limit: number) {
      const expired = [...rows.sessions.values()].filter(({ expiresAt }) => expiresAt < limit)
      for (const { id } of expired) rows.sessions.delete(id)
      return expired.length
    },
  })

  const roles = store('roles', {
    list: () => [...rows.roles.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    put(role: RoleRecord, now: number) {
      const stored = [...rows.roles.values()]
      if (role.inherits.some((parent) => inheritsFrom(parent, role.name, stored))) return false
      rows.roles.set(role.name, role)
      changed('role', role.name, now)
      return true
    },
    delete(name: string, now: number) {
      const deleted = rows.roles.get(name) ?? null
      rows.roles.delete(name)
      if (deleted !== null) changed('role', name, now)
      return deleted
    },
  })

  const permissions = store('permissions', {
    list: () => [...rows.permissions.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    sync(put: readonly PermissionRecord[], remove: readonly string[]) {
      for (const each of put) {
        rows.permissions.set(each.name, {
          ...each,
          createdAt: rows.permissions.get(each.name)?.createdAt ?? each.createdAt,
        })
      }
      for (const name of remove) rows.permissions.delete(name)
    },
  })

  const audit = store('audit', auditVerbs(rows.audit, rows.auditMarks))

  const idempotency = store('idempotency', idempotencyVerbs(rows.idempotency))
  const blocks = store('blocks', blockVerbs(rows.blocks, changed, clock))
  const quotas = store('quotas', quotaVerbs(rows.quotas))
  const loginAddresses = store('loginAddresses', loginAddressVerbs(rows.loginAddresses))
  const usage = store('usage', usageVerbs(rows, rows.keys))
  const requestLog = store('requestLog', requestLogVerbs(rows.requestLog))

  const changes = store('changes', {
    latest: () => rows.changes.length,
    since: (from: number) => ({
      changes: rows.changes.filter(({ sequence }) => sequence > from),
      complete: true,
    }),
    prune: () => undefined,
  })

  return {
    dialect: 'sqlite',
    calls,
    before,
    rows,
    keys,
    organizations,
    users,
    signingKeys,
    refreshFamilies,
    bearerTokens,
    sessions,
    roles,
    permissions,
    audit,
    idempotency,
    blocks,
    quotas,
    loginAddresses,
    changes: { ...changes, version: () => rows.changes.length },
    // The wrapping forgets that `accept` answers what it was given.
    usage: usage as Storage['usage'],
    requestLog,
    ping: async () => undefined,
    close: async () => undefined,
  }
}
