/** What a core reads before it decides about anybody. */
import { kindOfPepper } from './authentication/imported-keys/foreign-texts.ts'
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

/** Reads all of it; rejects when storage does. */
export async function startUp(options: StartupOptions): Promise<void> {
  const { composition, clustering, watcher } = options
  const { services, limits, roleReader } = composition
  const connected = clustering.start()
  // Watched before anything is read, so that no change falls in between.
  await watcher.start()
  await limits.start()
  await roleReader.read()
  await services.signingKeys.ensureCurrent()
  await warnOfLostSecrets(options)
  await lookForForeignKeys(options)
  await options.recorders.start()
  await connected
  // Nobody waits for it: of a version before there may be very many events.
  void services.audit.seal()
}

async function warnOfLostSecrets({ composition, storage, warn }: StartupOptions): Promise<void> {
  const { keyHasher, tokenHasher, services } = composition
  const lost =
    (await storage.keys.countUnknownPeppers(keyHasher.known)) +
    (await storage.bearerTokens.countUnknownPeppers(tokenHasher.known)) +
    (await services.signingKeys.countUnreadable())
  if (lost > 0) warn(`${lost} stored keys or tokens belong to a secret that is no longer given, and are refused`)
}

/** Keys that were imported work on without their kind, once they were used. */
async function lookForForeignKeys({ composition, storage, importKinds, warn }: StartupOptions): Promise<void> {
  const peppers = await storage.keys.foreignPeppers()
  if (peppers.length > 0) composition.authenticators.foreignTexts.open()
  const named = new Set(importKinds.map(({ name }) => name))
  for (const pepper of peppers) {
    const kind = kindOfPepper(pepper)
    if (kind === null || named.has(kind)) continue
    warn(`apiKeys.importKinds does not name '${kind}': the keys imported by it that were not used yet are refused`)
  }
}
