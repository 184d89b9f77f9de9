/** What callers say about a new key, checked. */
import type { WantedOwner } from '../authentication/credential-owner.ts'
import { resolveGrants } from '../authorization/grants.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import { type ExpiryInput, resolveExpiry } from '../lib/expiry.ts'
import { FieldErrors } from '../lib/field-errors.ts'
import { parseCidr } from '../lib/ip.ts'
import { nameMistake, remarkMistake } from '../lib/text.ts'
import { resolveUseLimits, type UseLimits, type UseLimitsInput } from '../limits/use-limits.ts'
import type { ApiKeyRecord, Environment } from '../storage/records.ts'
import { type Metadata, metadataMistake } from './metadata.ts'

/** Everything but the name may be left out. */
export interface NewApiKey extends WantedOwner, ExpiryInput, UseLimitsInput {
  /** 1 to 255 characters; need not be unique. */
  readonly name: string
  readonly permissions?: readonly string[] | undefined
  /** `live` unless it says `test`. */
  readonly environment?: Environment | undefined
  /** Addresses and ranges it may be used from; anywhere when empty. */
  readonly ipAllowlist?: readonly string[] | undefined
  readonly description?: string | null | undefined
  /** At most 4 KB as JSON. */
  readonly metadata?: Metadata | null | undefined
}

type CheckedMembers = Pick<
  ApiKeyRecord,
  'name' | 'permissions' | 'environment' | 'expiresAt' | 'ipAllowlist' | 'description' | 'metadata'
> &
  UseLimits

const MAX_DESCRIPTION = 1000
const MAX_RANGES = 100

export function resolveAllowlist(given: readonly string[], errors: FieldErrors): readonly string[] {
  if (given.length > MAX_RANGES) {
    errors.add('ipAllowlist', `must have at most ${MAX_RANGES} entries`)
    return []
  }
  const ranges = new Set<string>()
  for (const [index, text] of given.entries()) {
    const range = typeof text === 'string' ? parseCidr(text) : null
    if (range === null) errors.add(`ipAllowlist.${index}`, 'must be an address or range such as 10.0.0.0/8')
    else ranges.add(range.text)
  }
  return [...ranges]
}

export function checkName(name: string, errors: FieldErrors): void {
  const mistake = nameMistake(name)
  if (mistake !== null) errors.add('name', mistake)
}

export function checkDescription(description: string | null, errors: FieldErrors): void {
  const mistake = description === null ? null : remarkMistake(description, MAX_DESCRIPTION)
  if (mistake !== null) errors.add('description', mistake)
}

export function checkMetadata(metadata: Metadata | null, errors: FieldErrors): void {
  const mistake = metadata === null ? null : metadataMistake(metadata)
  if (mistake !== null) errors.add('metadata', mistake)
}

/**
 * Checks everything that needs no storage.
 *
 * @param now epoch ms
 * @throws MachineAuthError `validation_failed`, naming every mistake
 */
export function resolveNewKey(input: NewApiKey, registry: PermissionRegistry, now: number): CheckedMembers {
  const errors = new FieldErrors()
  checkName(input.name, errors)
  const permissions = resolveGrants(registry, input.permissions ?? [], errors)
  const environment = input.environment ?? 'live'
  if (environment !== 'live' && environment !== 'test') errors.add('environment', "must be 'live' or 'test'")
  const expiresAt = resolveExpiry(input, now, errors)
  const ipAllowlist = resolveAllowlist(input.ipAllowlist ?? [], errors)
  const description = input.description ?? null
  checkDescription(description, errors)
  const metadata = input.metadata ?? null
  checkMetadata(metadata, errors)
  const useLimits = resolveUseLimits(input, now, errors)
  errors.throwIfAny()
  return { name: input.name, permissions, environment, expiresAt, ipAllowlist, description, metadata, ...useLimits }
}
