/**
 * Which credentials a request may carry to satisfy all guards of its route, as OpenAPI says it: a list of
 * alternatives, each a set of schemes.
 *
 * Found by trying every combination of credentials against every guard, so that it says what the guards do: the
 * `Authorization` header holds one credential only, and the first one present speaks for the caller.
 *
 * @see OpenAPI 3.1, Security Requirement Object
 */
import type { SecurityRequirement } from './openapi.ts'

export type SchemeName = 'bearer' | 'apiKey' | 'session' | 'masterKey'

/** What one request carries. */
export interface Combination {
  readonly authorization: 'token' | 'apiKey' | 'masterKey' | null
  readonly keyHeader: boolean
  readonly cookie: boolean
  readonly masterHeader: boolean
}

/** Whether a request that carries these credentials, all of them good, may pass a guard. */
export type Accept = (combination: Combination) => boolean

/** Which credentials an app takes at all. */
export interface EnabledCredentials {
  readonly keyHeader: boolean
  /** Whether `Authorization: Bearer` may hold an API key. */
  readonly keyAsBearer: boolean
  readonly masterKey: boolean
}

export type Speaker = 'token' | 'apiKey' | 'masterKey' | 'session' | null

/** The credential that speaks for the caller. */
export function speakerOf({ authorization, keyHeader, cookie }: Combination): Speaker {
  if (authorization !== null) return authorization
  if (keyHeader) return 'apiKey'
  return cookie ? 'session' : null
}

export function combinationsOf(enabled: EnabledCredentials): readonly Combination[] {
  const authorizations: Combination['authorization'][] = [null, 'token']
  if (enabled.keyAsBearer) authorizations.push('apiKey')
  if (enabled.masterKey) authorizations.push('masterKey')
  const flags = (isEnabled: boolean) => (isEnabled ? [false, true] : [false])
  return authorizations.flatMap((authorization) =>
    flags(enabled.keyHeader).flatMap((keyHeader) =>
      flags(true).flatMap((cookie) =>
        flags(enabled.masterKey).map((masterHeader) => ({ authorization, keyHeader, cookie, masterHeader })),
      ),
    ),
  )
}

const ORDER: readonly SchemeName[] = ['bearer', 'apiKey', 'session', 'masterKey']

function schemesOf(combination: Combination): readonly SchemeName[] {
  const isCarried: Record<SchemeName, boolean> = {
    bearer: combination.authorization !== null,
    apiKey: combination.keyHeader,
    session: combination.cookie,
    masterKey: combination.masterHeader,
  }
  return ORDER.filter((scheme) => isCarried[scheme])
}

/** Whether a set says the same with more credentials than needed. The empty set makes none superfluous. */
function isSuperfluous(set: readonly SchemeName[], all: readonly (readonly SchemeName[])[]): boolean {
  return all.some((other) => other.length > 0 && other.length < set.length && other.every((name) => set.includes(name)))
}

function toRequirement(set: readonly SchemeName[]): SecurityRequirement {
  return Object.fromEntries(set.map((scheme) => [scheme, []]))
}

/** Whether it makes a difference to a guard that the master key's header is there. */
function asksForMasterHeader(accept: Accept, combinations: readonly Combination[]): boolean {
  return combinations.some((each) => each.masterHeader && accept(each) !== accept({ ...each, masterHeader: false }))
}

/**
 * The alternatives that satisfy all of some guards; never an empty list, which would mean that anybody may.
 *
 * @param accepts what each guard says of a combination; at least one
 * @param preferred the scheme to name first
 */
export function alternativesOf(
  combinations: readonly Combination[],
  accepts: readonly Accept[],
  preferred?: SchemeName,
): readonly SecurityRequirement[] {
  const offersMasterHeader = accepts.some((accept) => asksForMasterHeader(accept, combinations))
  const accepted = combinations.filter(
    (each) => (offersMasterHeader || !each.masterHeader) && accepts.every((accept) => accept(each)),
  )
  // Guards that contradict each other let nobody in. OpenAPI cannot say that; demanding everything comes closest.
  if (accepted.length === 0) return [toRequirement([...new Set(combinations.flatMap(schemesOf))])]
  const sets = [...new Map(accepted.map(schemesOf).map((set) => [set.join(), set])).values()]
  const rank = (set: readonly SchemeName[]) => {
    if (set.length === 0) return Number.POSITIVE_INFINITY
    const first = set[0] ?? 'bearer'
    return set.length * ORDER.length + (first === preferred ? -1 : ORDER.indexOf(first))
  }
  return sets
    .filter((set) => !isSuperfluous(set, sets))
    .sort((left, right) => rank(left) - rank(right))
    .map(toRequirement)
}
