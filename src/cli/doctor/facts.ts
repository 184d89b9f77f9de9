/** What doctor's checks look at. Gathered once; nothing is written. */
import type { RedisTrouble } from '../../cluster/redis-diagnosis.ts'
import type { Mistake } from '../../options/mistakes.ts'
import type { ResolvedOptions } from '../../options/resolved.ts'
import type { PostgresTrouble } from '../../storage/drizzle/postgres-troubles.ts'
import type { UsageCheckpoint } from '../../storage/ports/usage.ts'

export interface FileFact {
  /** As a person names it. */
  readonly name: string
  /** Permission bits, such as `0o600`. */
  readonly mode: number
}

/** Keys, tokens and signing keys of a secret that is not given. */
export interface LostFact {
  readonly count: number
  /** Whether nothing that is stored is of a secret that is given. */
  readonly isAll: boolean
  /** The newest few, by their ids. */
  readonly keys: readonly string[]
  readonly tokens: readonly string[]
}

/** What became of opening the database. */
export type DatabaseFact =
  /** Not looked at, since the configuration is wrong. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'broken'
      readonly reason: string
      /** Null where it is no PostgreSQL, or nothing that is known of one. */
      readonly trouble: PostgresTrouble | null
    }
  | { readonly kind: 'pending'; readonly migrations: readonly string[] }
  | {
      readonly kind: 'open'
      readonly lost: LostFact
      /** When the newest row was made (ms); null where there is none. */
      readonly newestAt: number | null
      /** Whether the audit log goes on from a place that no given secret vouches for. */
      readonly isAuditUnknown: boolean
      /** As far as the journals of usage were counted, by their names. */
      readonly checkpoints: ReadonlyMap<string, UsageCheckpoint>
    }

/** What is not counted yet of some journals. */
export interface JournalPart {
  readonly files: number
  readonly bytes: number
}

export interface JournalFact {
  readonly directory: string
  /** Whether requests are noted there from now on: `durability: 'journaled'`. */
  readonly isKept: boolean
  /** Null where it can be written, or need not be. */
  readonly unwritable: { readonly reason: string; readonly advice: string } | null
  /** Of processes that ended. */
  readonly left: JournalPart
  /** Of processes that run, or of which nothing can be known. */
  readonly inUse: JournalPart
}

/** What became of asking Redis. */
export type RedisState = 'up' | Exclude<RedisTrouble, 'none'>

export interface Facts {
  readonly mistakes: readonly Mistake[]
  /** Null when there are mistakes. */
  readonly options: ResolvedOptions | null
  /** Where the secret comes from: the config file, the environment, or the file that development makes. */
  readonly secretSource: string | null
  /** Whether anything is in the database; null where that was not looked at, or could not be. */
  readonly isUsed: boolean | null
  readonly database: DatabaseFact
  readonly files: readonly FileFact[]
  /** Null when no usage is counted, or the configuration is wrong. */
  readonly journal: JournalFact | null
  /** Null when Redis is not configured. */
  readonly redis: RedisState | null
  /** ms. */
  readonly now: number
}
