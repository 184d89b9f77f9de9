/** Whose API key a guard or a rule will ask for, and so count for its own limit. */
import type { ApiKeyPrincipal } from '../authentication/principal.ts'
import type { Presented } from './presented.ts'

/** Null where it will ask for no key, or refuse the one that is there. */
export type KeyDemand = (presented: Presented) => ApiKeyPrincipal | null

const nobody: KeyDemand = () => null

/** The request's API key, whoever else speaks for it. */
export const presentedKey: KeyDemand = (presented) =>
  // One too many is refused.
  presented.key !== undefined && presented.authorizationKind === 'apiKey' ? null : presented.speakingKey

/** The key of whoever the request speaks for. */
export const foremostKey: KeyDemand = (presented) => presented.unobjectionableKey(presented.foremost)

/** By the names of guards, of which rules have some too; of any other it is `foremostKey`. */
const DEMANDS: ReadonlyMap<string, KeyDemand> = new Map([
  ['apiKey', presentedKey],
  ['session', nobody],
  ['bearerToken', nobody],
  ['masterKey', nobody],
  ['documentation', nobody],
  // Whoever brings a master key is asked for nothing else.
  ['management', (presented) => (presented.adminKey === null ? foremostKey(presented) : null)],
])

/** @param guard its name */
export function keyDemandOf(guard: string): KeyDemand {
  return DEMANDS.get(guard) ?? foremostKey
}

/** All keys that some guards will ask for, each once. */
export function demandedKeys(presented: Presented, guards: readonly string[]): readonly ApiKeyPrincipal[] {
  const keys = new Set<ApiKeyPrincipal>()
  for (const guard of guards) {
    const key = keyDemandOf(guard)(presented)
    if (key !== null) keys.add(key)
  }
  return [...keys]
}

/**
 * The one kind of credential that all guards of a route together read: limits count whom it is of, whatever else the
 * request presents. Undefined where it is whatever speaks for the request.
 */
export function demandedCredential(guards: readonly string[]): 'apiKey' | 'session' | undefined {
  if (guards.includes('session')) return 'session'
  return guards.length > 0 && guards.every((name) => name === 'apiKey') ? 'apiKey' : undefined
}
