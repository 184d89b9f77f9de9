/** Finds what is stored under secrets that are not given. */
import { createSecretHasher } from '../../authentication/hasher.ts'
import { kindOfPepper } from '../../authentication/imported-keys/foreign-texts.ts'
import { findLostSecrets } from '../../authentication/lost-secrets.ts'
import type { ResolvedOptions } from '../../options/resolved.ts'
import type { Page, PageRequest } from '../../storage/ports/page.ts'
import type { Storage } from '../../storage/ports.ts'
import { SigningKeys } from '../../tokens/signing-keys.ts'
import type { LostFact } from './facts.ts'

/** Ids that are named, of keys and of tokens. */
const MOST_NAMED = 5
/** Pages of 100 that are looked through for them. */
const MOST_PAGES = 50

interface Peppered {
  readonly id: string
  readonly pepper: string
  readonly revokedAt: number | null
  readonly expiresAt: number | null
}

/** The newest few of a list that could be used if it were not for their secret. */
async function nameLost(
  list: (page: PageRequest) => Promise<Page<Peppered>>,
  known: readonly string[],
  now: number,
): Promise<readonly string[]> {
  function isLost({ pepper, revokedAt, expiresAt }: Peppered): boolean {
    const isUsable = revokedAt === null && (expiresAt === null || expiresAt > now)
    // Imported keys that were not used are of no secret.
    return isUsable && kindOfPepper(pepper) === null && !known.includes(pepper)
  }

  const named: string[] = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES && named.length < MOST_NAMED; page += 1) {
    const { items, nextCursor } = await list({ limit: 100, cursor })
    named.push(...items.filter(isLost).map(({ id }) => id))
    if (nextCursor === null) break
    cursor = nextCursor
  }
  return named.slice(0, MOST_NAMED)
}

/** @param now ms */
export async function findLost(storage: Storage, { secrets, jwt }: ResolvedOptions, now: number): Promise<LostFact> {
  const { keys, bearerTokens, signingKeys: store } = storage
  const audit = { record: async () => undefined }
  const signingKeys = new SigningKeys({ ...jwt, store, secrets, audit, clock: () => now })
  const keyPeppers = createSecretHasher(secrets, 'api-key-pepper').known
  const tokenPeppers = createSecretHasher(secrets, 'bearer-token-pepper').known
  const { count, isAll } = await findLostSecrets({ keys, bearerTokens, signingKeys, keyPeppers, tokenPeppers })
  if (count === 0) return { count, isAll, keys: [], tokens: [] }
  return {
    count,
    isAll,
    keys: await nameLost((page) => keys.list({}, page, now), keyPeppers, now),
    tokens: await nameLost((page) => bearerTokens.list(page), tokenPeppers, now),
  }
}
