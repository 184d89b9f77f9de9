/** What is stored under secrets that are not given: nobody can use it. */
import type { KeyStore } from '../storage/ports/keys.ts'
import type { BearerTokenStore } from '../storage/ports/tokens.ts'

export interface LostSecrets {
  /** Usable keys and tokens, and signing keys in use, of secrets that are not given. */
  readonly count: number
  /** Whether nothing that is stored is of a secret that is given: almost surely a wrong one was given. */
  readonly isAll: boolean
}

export interface LostSecretsOptions {
  readonly keys: Pick<KeyStore, 'countUnknownPeppers'>
  readonly bearerTokens: Pick<BearerTokenStore, 'countUnknownPeppers'>
  readonly signingKeys: { countUnreadable(): Promise<number>; hasReadable(): Promise<boolean> }
  /** Fingerprints of the peppers of keys that are given. */
  readonly keyPeppers: readonly string[]
  readonly tokenPeppers: readonly string[]
}

/** Reads the counts; rejects when storage does. */
export async function findLostSecrets(options: LostSecretsOptions): Promise<LostSecrets> {
  const { keys, bearerTokens, signingKeys, keyPeppers, tokenPeppers } = options
  const lost = (await keys.countUnknownPeppers(keyPeppers)) + (await bearerTokens.countUnknownPeppers(tokenPeppers))
  const count = lost + (await signingKeys.countUnreadable())
  if (count === 0 || (await signingKeys.hasReadable())) return { count, isAll: false }
  const all = (await keys.countUnknownPeppers([])) + (await bearerTokens.countUnknownPeppers([]))
  return { count, isAll: lost === all }
}
