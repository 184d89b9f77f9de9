/** The keys that sign and verify access tokens. */
import { type Actor, requirePlatform, SYSTEM } from '../authorization/actor.ts'
import { isStorageAway } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { createKeyring, type Keyring } from '../lib/keyring.ts'
import { Rereader } from '../lib/rereader.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { SigningKeyStore } from '../storage/ports/tokens.ts'
import type { SigningAlgorithm, SigningKeyRecord } from '../storage/records.ts'
import { generateSigningKey, importPrivateKey, importPublicKey, publicJwkOf } from './signing-key-material.ts'

/** A key by which a token may be verified, and the only algorithm it may be verified with. */
export interface VerificationKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly key: CryptoKey
}

export interface SigningKeysOptions {
  readonly store: SigningKeyStore
  readonly clock: Clock
  /** Root secrets, newest first. */
  readonly secrets: readonly string[]
  readonly algorithm: SigningAlgorithm
  /** ms */
  readonly accessTtl: number
  /** ms */
  readonly clockTolerance: number
  /** ms since they were read for which known keys verify while storage is away; none unless given. */
  readonly staleness?: number
  readonly audit: Pick<AuditLog, 'record'>
  /**
   * Hears that keys are gone from storage: what they verified may be remembered elsewhere. Retired ones are not gone:
   * they verify longer than any of their tokens lives.
   */
  readonly onRemoved?: () => void
}

/** Another process may have made a key: an unknown `kid` asks storage, but a flood of made-up ones does not. */
const RELOAD_INTERVAL = 1000
/** How late a process hears that another one retired a key it knows, when nothing else makes it look. */
const MAX_AGE = 60_000
/** When a list was read that something was changed after. */
const OUTDATED = Number.NEGATIVE_INFINITY

interface ReadList {
  readonly records: readonly SigningKeyRecord[]
  /** When it was asked for, in epoch ms. */
  readonly at: number
  /** Of the changes that were known then. */
  readonly generation: number
}

export class SigningKeys {
  readonly #options: SigningKeysOptions
  readonly #keyring: Keyring
  /** ms */
  readonly #begunAt: number
  #records: readonly SigningKeyRecord[] = []
  #loadedAt = OUTDATED
  #loading: Promise<void> | null = null
  /** Raised by each change: what is being read then may be outdated already. */
  #generation = 0
  /** Somebody else may have read them since the change. */
  readonly #rereader = new Rereader(async () => {
    if (this.#loadedAt === OUTDATED) await this.#load()
  })
  /** Imported once; a `kid` never changes what it names. */
  readonly #verifying = new Map<string, CryptoKey>()
  readonly #signing = new Map<string, CryptoKey>()

  constructor(options: SigningKeysOptions) {
    this.#options = options
    this.#keyring = createKeyring(options.secrets, 'signing-key-encryption')
    this.#begunAt = options.clock()
  }

  /** Makes the first key, or one under the newest secret, unless there is one. Racing processes agree on one. */
  async ensureCurrent(): Promise<void> {
    await this.#load()
    if (this.#findCurrent() === undefined) await this.#makeCurrent()
  }

  /**
   * The key that signs now.
   *
   * @throws Error when the stored one was altered
   */
  async current(): Promise<VerificationKey> {
    await this.#reload(this.#options.clock(), RELOAD_INTERVAL)
    const record = this.#findCurrent() ?? (await this.#makeCurrent())
    const { kid, algorithm } = record
    const known = this.#signing.get(kid)
    if (known !== undefined) return { kid, algorithm, key: known }
    const key = await importPrivateKey(record, this.#keyring.current)
    this.#signing.set(kid, key)
    return { kid, algorithm, key }
  }

  /**
   * The key a token names, or null when none of ours that may still verify has that name.
   *
   * @param now epoch ms
   */
  async find(kid: string, now: number): Promise<VerificationKey | null> {
    // One that another process may have made is not called wrong because storage is away.
    await (this.#isKnown(kid) ? this.#reloadIfAnswered(now, MAX_AGE) : this.#reload(now, RELOAD_INTERVAL))
    const record = this.#records.find((candidate) => candidate.kid === kid)
    if (record === undefined || !this.#verifies(record, now)) return null
    const { algorithm } = record
    const key = this.#verifying.get(kid) ?? (await this.#importVerifying(record))
    return key === null ? null : { kid, algorithm, key }
  }

  /** The public keys that verify now, newest first. Shared secrets have none. */
  async jwks(): Promise<{ readonly keys: readonly Readonly<Record<string, string>>[] }> {
    const now = this.#options.clock()
    await this.#reloadIfAnswered(now, RELOAD_INTERVAL)
    const usable = this.#records.filter((record) => this.#verifies(record, now))
    return { keys: usable.map(publicJwkOf).filter((jwk) => jwk !== null) }
  }

  /**
   * Makes a new signing key now. The old ones verify until the last token they signed has expired.
   *
   * @returns the new key's `kid`
   * @throws MachineAuthError `permission_required` without platform reach
   */
  async rotate(actor: Actor = SYSTEM): Promise<string> {
    requirePlatform(actor)
    const { store, algorithm, clock, audit } = this.#options
    const candidate = await generateSigningKey(algorithm, this.#keyring.current, clock())
    await store.rotate(candidate)
    await this.#loadAnew()
    await audit.record({ action: 'signing_key.rotated', actor, subject: candidate.kid, details: { algorithm } })
    return candidate.kid
  }

  /** Hears of a key that was made: of one that is known already, also since it was made here, there is nothing to read. */
  hear(kid: string): void {
    if (!this.#isKnown(kid)) this.forget()
  }

  /** Other processes may have changed the keys: whoever needs one from now on waits until they are read anew. */
  forget(): void {
    this.#outdate()
    // Whoever was verified before needs no key: that one was removed must be noticed all the same.
    void this.#rereader.readSoon()
  }

  /** Keys that were changed elsewhere and could not be read are not tried further. */
  stop(): void {
    this.#rereader.stop()
  }

  /**
   * How many keys in use were sealed under a secret that is no longer given. Beside one of ours they are history, which
   * ends with the last token they signed.
   */
  async countUnreadable(): Promise<number> {
    const now = this.#options.clock()
    await this.#reload(now, RELOAD_INTERVAL)
    if (this.#findCurrent() !== undefined) return 0
    return this.#records.filter((record) => this.#verifies(record, now) && !this.#opens(record)).length
  }

  /** Whether any stored key is of a secret that is given. */
  async hasReadable(): Promise<boolean> {
    await this.#reload(this.#options.clock(), RELOAD_INTERVAL)
    return this.#records.some((record) => this.#opens(record))
  }

  /** Whether a known key was sealed under a secret that is not given. */
  isOfOtherSecret(kid: string): boolean {
    return this.#records.some((record) => record.kid === kid && !this.#opens(record))
  }

  #isKnown(kid: string): boolean {
    return this.#records.some((record) => record.kid === kid)
  }

  #opens({ encryptionKey }: SigningKeyRecord): boolean {
    return this.#keyring.find(encryptionKey) !== undefined
  }

  /** The newest key of our algorithm under the newest secret: one that others cannot open would lock them out. */
  #findCurrent(): SigningKeyRecord | undefined {
    const { algorithm } = this.#options
    const { fingerprint } = this.#keyring.current
    return this.#records.find(
      (record) => record.retiredAt === null && record.algorithm === algorithm && record.encryptionKey === fingerprint,
    )
  }

  async #makeCurrent(): Promise<SigningKeyRecord> {
    const { store, algorithm, clock } = this.#options
    const candidate = await generateSigningKey(algorithm, this.#keyring.current, clock())
    const current = await store.ensureCurrent(candidate)
    await this.#loadAnew()
    return current
  }

  /**
   * A key whose secret is no longer given counts as retired since ours was made, or since this process began where
   * there is none yet: whoever took that secret together with the database must not be able to sign for ever.
   */
  #retiredAt(record: SigningKeyRecord): number | null {
    if (record.retiredAt !== null || this.#opens(record)) return record.retiredAt
    return Math.max(this.#findCurrent()?.createdAt ?? this.#begunAt, record.createdAt)
  }

  #verifies(record: SigningKeyRecord, now: number): boolean {
    const { accessTtl, clockTolerance } = this.#options
    const retiredAt = this.#retiredAt(record)
    return retiredAt === null || now < retiredAt + accessTtl + clockTolerance
  }

  async #importVerifying(record: SigningKeyRecord): Promise<CryptoKey | null> {
    const encryptionKey = this.#keyring.find(record.encryptionKey)
    const isShared = record.algorithm === 'HS256'
    if (isShared && encryptionKey === undefined) return null
    const key =
      isShared && encryptionKey !== undefined
        ? await importPrivateKey(record, encryptionKey)
        : await importPublicKey(record)
    if (key !== null) this.#verifying.set(record.kid, key)
    return key
  }

  /** Loads again unless what is known is younger than `maxAge` ms. */
  async #reload(now: number, maxAge: number): Promise<void> {
    // A clock that was set back must not keep an old list alive.
    if (Math.abs(now - this.#loadedAt) >= maxAge) await this.#load()
  }

  /** As `#reload`, but goes on with what is known while storage is away. */
  async #reloadIfAnswered(now: number, maxAge: number): Promise<void> {
    try {
      await this.#reload(now, maxAge)
    } catch (error) {
      if (!isStorageAway(error) || Math.abs(now - this.#loadedAt) >= (this.#options.staleness ?? 0)) throw error
    }
  }

  #load(): Promise<void> {
    this.#loading ??= this.#fetch()
    return this.#loading
  }

  /** Loads what was just written here. */
  #loadAnew(): Promise<void> {
    this.#outdate()
    return this.#load()
  }

  #outdate(): void {
    this.#generation += 1
    this.#loadedAt = OUTDATED
  }

  async #fetch(): Promise<void> {
    try {
      let read = await this.#read()
      // Whoever came after the change waits for a list that was read after it; however many there are, for two lists.
      if (read.generation !== this.#generation) read = await this.#read()
      this.#take(read)
    } finally {
      // At once: whoever hears of a change from now on reads a list of his own.
      this.#loading = null
    }
  }

  async #read(): Promise<ReadList> {
    const generation = this.#generation
    const at = this.#options.clock()
    return { records: await this.#options.store.list(), at, generation }
  }

  /** What was heard of meanwhile is compared in the same turn: a moment later it would be overwritten. */
  #take({ records, at, generation }: ReadList): void {
    const known = new Set(records.map((record) => record.kid))
    const isRemoved = this.#records.some((record) => !known.has(record.kid))
    this.#records = records
    this.#loadedAt = generation === this.#generation ? at : OUTDATED
    for (const keys of [this.#verifying, this.#signing]) {
      for (const kid of keys.keys()) if (!known.has(kid)) keys.delete(kid)
    }
    if (isRemoved) this.#options.onRemoved?.()
  }
}
