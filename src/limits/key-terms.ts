/** What the limits of many API keys have in common, once for all of them. */
import type { ApiKeyPrincipal } from '../authentication/principal.ts'
import { parseDuration } from '../lib/duration.ts'
import type { RateLimitSetting } from '../storage/records.ts'
import { type LimitLabel, labelOf } from './headers.ts'
import type { Limiter } from './limiter.ts'
import { createRate, type Rate, type Strategy } from './rate.ts'

/** What is the same for all keys of a rate. */
interface RateTerms {
  readonly rate: Rate | null
  /** Names its rate, in every process. */
  readonly place: string
  /** Null without a rate. */
  readonly label: LimitLabel | null
}

/** What is the same for all keys of a tenant that have a rate. */
export interface KeyTerms extends RateTerms {
  readonly compiler: KeyTermsCompiler
  /** Whose keys share the room for rates: one tenant's many rates are no other's trouble. */
  readonly tenant: string
  readonly hasBudgets: boolean
  /** Of the rate, found before; null until then. */
  limiter: Limiter | null
}

const UNLIMITED: RateTerms = { rate: null, place: '', label: null }
/** Rates that are shared; then it begins anew, and what was handed out stays right. */
const MOST_RATES = 1000
/** As above, told apart by tenant. */
const MOST_TERMS = 10_000

/** The name of a key's own limit in the headers. */
const KEY_LIMIT_NAME = 'key'

export class KeyTermsCompiler {
  readonly #defaultRate: RateLimitSetting | false
  readonly #strategy: Strategy
  readonly #rates = new Map<string, RateTerms>()
  readonly #terms = new Map<string, KeyTerms>()

  constructor(defaultRate: RateLimitSetting | false, strategy: Strategy) {
    this.#defaultRate = defaultRate
    this.#strategy = strategy
  }

  termsOf({ use, organizationId }: ApiKeyPrincipal): KeyTerms {
    const setting = use.rateLimit ?? this.#defaultRate
    const ofRate = setting === false ? UNLIMITED : this.#rateOf(setting)
    const hasBudgets = use.monthlyQuota !== null || use.organizationQuota !== null || use.credits !== null
    const tenant = organizationId ?? ''
    const name = `${hasBudgets} ${ofRate.place} ${tenant}`
    const known = this.#terms.get(name)
    if (known !== undefined) return known
    const terms = { ...ofRate, compiler: this, tenant, hasBudgets, limiter: null }
    if (this.#terms.size >= MOST_TERMS) this.#terms.clear()
    this.#terms.set(name, terms)
    return terms
  }

  #rateOf({ limit, window }: RateLimitSetting): RateTerms {
    const name = `${limit}/${window}`
    const known = this.#rates.get(name)
    if (known !== undefined) return known
    const rate = createRate({ limit, window: parseDuration(window), strategy: this.#strategy })
    const place = `key:${rate.strategy} ${rate.limit}/${rate.window}`
    const terms = { rate, place, label: labelOf(KEY_LIMIT_NAME, rate) }
    if (this.#rates.size >= MOST_RATES) this.#rates.clear()
    this.#rates.set(name, terms)
    return terms
  }
}
