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

/** Columns that are mostly the same as those of other keys: then many keys have one object. */
export interface CommonColumns {
  readonly environment: Environment
  readonly permissions: readonly string[]
  /** Null where it is made of the id. */
  readonly prefix: string | null
  readonly unusual: Unusual | null
}

/** Columns that are a key's own. Its principal has the others: its id, its organization and its user. */
export type OwnColumns = Pick<ApiKeyRecord, 'name' | 'expiresAt' | 'lastUsedAt' | 'createdAt'>

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

/** So many are shared; then it begins anew. */
const MOST = 10_000

/** Finds the common columns of keys. @param keyPrefix the first part of new keys */
export function createCommonColumns(keyPrefix: string): (key: ApiKeyRecord) => CommonColumns {
  const known = new Map<string, CommonColumns>()

  function shared(environment: Environment, given: readonly string[]): CommonColumns {
    const name = `${environment} ${JSON.stringify(given)}`
    const first = known.get(name)
    if (first !== undefined) return first
    if (known.size >= MOST) known.clear()
    // Frozen: nobody changes what others have too.
    const common = { environment, permissions: Object.freeze([...given]), prefix: null, unusual: null }
    known.set(name, common)
    return common
  }

  return function commonOf(key) {
    const environment = key.environment === 'live' ? 'live' : 'test'
    const common = shared(environment, key.permissions)
    const unusual = unusualOf(key)
    const hasMadePrefix = key.prefix === madePrefix(keyPrefix, environment, key.id)
    if (unusual === null && hasMadePrefix) return common
    return { ...common, prefix: hasMadePrefix ? null : key.prefix, unusual }
  }
}

export type OwnerColumns = Pick<ApiKeyRecord, 'id' | 'organizationId' | 'userId'>

/** The columns as they were. */
export function toViewed(owner: OwnerColumns, own: OwnColumns, common: CommonColumns, keyPrefix: string): ViewedKey {
  const { environment, permissions, prefix, unusual } = common
  return {
    ...PROVEN,
    ...USUAL,
    ...unusual,
    ...owner,
    ...own,
    environment,
    permissions,
    prefix: prefix ?? madePrefix(keyPrefix, environment, owner.id),
  }
}
