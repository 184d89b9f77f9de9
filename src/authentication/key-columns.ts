/** The columns of a key that its view shows, as small as they can be remembered. */
import type { ApiKeyRecord, Environment } from '../storage/records.ts'
import type { ViewedKey } from './views.ts'

/** What few keys have; of others it is not kept. */
const USUAL = {
  ipAllowlist: [] as readonly string[],
  rateLimit: null,
  monthlyQuota: null,
  credits: null,
  creditsRefillAmount: null,
  creditsRefillEvery: null,
  creditsRefilledAt: null,
  rotatedFrom: null,
  description: null,
  metadata: null,
} as const satisfies Partial<ViewedKey>

/** What all keys have that prove anybody. */
const PROVEN = { enabled: true, revokedAt: null, revokedReason: null } as const satisfies Partial<ViewedKey>

type UnusualColumn = keyof typeof USUAL
type Unusual = Pick<ApiKeyRecord, UnusualColumn>

/** What is remembered. Ids and lists are those that many share. */
export interface KeyColumns {
  readonly name: string
  readonly environment: Environment
  /** Null where it is made of the id. */
  readonly prefix: string | null
  readonly organizationId: string | null
  readonly userId: string | null
  readonly permissions: readonly string[]
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly createdAt: number
  readonly unusual: Unusual | null
}

function isUsual(key: ApiKeyRecord): boolean {
  for (const column of Object.keys(USUAL) as UnusualColumn[]) {
    if (column !== 'ipAllowlist' && key[column] !== USUAL[column]) return false
  }
  return key.ipAllowlist.length === 0
}

function unusualOf(key: ApiKeyRecord): Unusual | null {
  if (isUsual(key)) return null
  const { ipAllowlist, rateLimit, monthlyQuota, rotatedFrom, description, metadata } = key
  const { credits, creditsRefillAmount, creditsRefillEvery, creditsRefilledAt } = key
  return {
    ipAllowlist,
    rateLimit,
    monthlyQuota,
    credits,
    creditsRefillAmount,
    creditsRefillEvery,
    creditsRefilledAt,
    rotatedFrom,
    description,
    metadata,
  }
}

function madePrefix(keyPrefix: string, environment: Environment, id: string): string {
  return `${keyPrefix}_${environment}_${id.slice('key_'.length)}`
}

export type SharedColumns = Pick<KeyColumns, 'organizationId' | 'userId' | 'permissions'>

/** @param keyPrefix the first part of new keys */
export function toColumns(key: ApiKeyRecord, shared: SharedColumns, keyPrefix: string): KeyColumns {
  const { organizationId, userId, permissions } = shared
  const environment = key.environment === 'live' ? 'live' : 'test'
  return {
    name: key.name,
    environment,
    prefix: key.prefix === madePrefix(keyPrefix, environment, key.id) ? null : key.prefix,
    organizationId,
    userId,
    permissions,
    expiresAt: key.expiresAt,
    lastUsedAt: key.lastUsedAt,
    createdAt: key.createdAt,
    unusual: unusualOf(key),
  }
}

/** As they were. */
export function fromColumns(id: string, columns: KeyColumns, keyPrefix: string): ViewedKey {
  const { unusual, environment, prefix } = columns
  return { ...PROVEN, ...USUAL, ...unusual, ...columns, id, prefix: prefix ?? madePrefix(keyPrefix, environment, id) }
}
