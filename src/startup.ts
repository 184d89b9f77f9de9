/** What a core reads before it decides about anybody. */
import { kindOfPepper } from './authentication/imported-keys/foreign-texts.ts'
import { findLostSecrets, type LostSecrets } from './authentication/lost-secrets.ts'
import type { ChangeWatcher } from './cluster/change-watcher.ts'
import type { Clustering } from './clustering.ts'
import type { HashKind } from './options/hash-kind.ts'
import type { Recorders } from './recorders.ts'
import type { Composition } from './services.ts'
import type { Storage } from './storage/ports.ts'

export interface StartupOptions {
  readonly composition: Composition
  readonly clustering: Clustering
  readonly recorders: Recorders
  readonly storage: Storage
  readonly watcher: ChangeWatcher
  readonly importKinds: readonly HashKind[]
  readonly warn: (message: string) => void
}

const WRONG_SECRET =
  'no stored key, token or signing key belongs to a secret that is given, and all are refused: ' +
  'is MACHINE_AUTH_SECRET the one of the other processes?'

/** Reads all of it; rejects when storage does. */
export async function startUp(options: StartupOptions): Promise<void> {
  const { composition, clustering, watcher } = options
  const { services, limits, roleReader } = composition
  const connected = clustering.start()
  // Watched before anything is read, so that no change falls in between.
  await watcher.start()
  await limits.start()
  await roleReader.read()
  const { isAll } = await warnOfLostSecrets(options)
  // Under a secret that is almost surely a wrong one, only when a token is to be signed.
  if (!isAll) await services.signingKeys.ensureCurrent()
  await lookForForeignKeys(options, isAll)
  await options.recorders.start()
  await connected
  // Nobody waits for it: of a version before there may be very many events.
  void services.audit.seal()
}

async function warnOfLostSecrets({ composition, storage, warn }: StartupOptions): Promise<LostSecrets> {
  const { keyHasher, tokenHasher, services } = composition
  const { keys, bearerTokens } = storage
  const { signingKeys } = services
  const peppers = { keyPeppers: keyHasher.known, tokenPeppers: tokenHasher.known }
  const lost = await findLostSecrets({ keys, bearerTokens, signingKeys, ...peppers })
  if (lost.isAll) warn(WRONG_SECRET)
  else if (lost.count > 0) {
    const are = lost.count === 1 ? '1 stored key or token belongs' : `${lost.count} stored keys or tokens belong`
    warn(`${are} to a secret that is no longer given, and ${lost.count === 1 ? 'is' : 'are'} refused`)
  }
  return lost
}

/**
 * Keys that were imported work on without their kind, once they were used.
 *
 * @param isSecretWrong whether nothing that is stored is of a secret that is given
 */
async function lookForForeignKeys(
  { composition, storage, importKinds, warn }: StartupOptions,
  isSecretWrong: boolean,
): Promise<void> {
  const { keyHasher, authenticators } = composition
  const peppers = await storage.keys.foreignPeppers()
  if (peppers.length > 0) authenticators.foreignTexts.open()
  const used = peppers.filter((pepper) => kindOfPepper(pepper) === null)
  const isNoneOurs = used.length > 0 && !used.some((pepper) => keyHasher.known.includes(pepper))
  if (isSecretWrong || isNoneOurs) authenticators.foreignTexts.doubtSecret()
  const named = new Set(importKinds.map(({ name }) => name))
  for (const pepper of peppers) {
    const kind = kindOfPepper(pepper)
    if (kind === null || named.has(kind)) continue
    warn(`apiKeys.importKinds does not name '${kind}': the keys imported by it that were not used yet are refused`)
  }
}
