/** What each API key may use: its own rate, its monthly quota and its organization's, its credits. */
import type { ApiKeyPrincipal, KeyUse } from '../authentication/principal.ts'
import { type ErrorExtras, MachineAuthError } from '../errors.ts'
import { isBelieved } from '../lib/belief.ts'
import { toTimestamp } from '../lib/timestamp.ts'
import type { LimitMeter } from '../recording/metrics/meter.ts'
import type { KeyStore } from '../storage/ports/keys.ts'
import type { QuotaStore } from '../storage/ports/quotas.ts'
import type { RateLimitSetting } from '../storage/records.ts'
import type { LimitLabel } from './headers.ts'
import { type KeyTerms, KeyTermsCompiler } from './key-terms.ts'
import type { Limiter } from './limiter.ts'
import { Limiters } from './limiters.ts'
import { endOfMonth, monthOf } from './month.ts'
import type { Budget, QuotaLedger } from './quota-ledger.ts'
import type { Rate, Strategy } from './rate.ts'
import { subjectOf } from './subjects.ts'

type BudgetKind = 'quota' | 'credits'

/** A use taken from every budget of a key, or why there is none. */
export type Reservation =
  | { readonly kind: 'reserved'; release(): void }
  | { readonly kind: 'exhausted'; readonly of: BudgetKind; readonly extras: ErrorExtras }
  /** Storage did not answer. */
  | { readonly kind: 'failed'; readonly failure: unknown }

interface KeyBudget extends Budget {
  readonly kind: BudgetKind
  /** Of the refusal when there is nothing left. */
  exhausted(now: number): ErrorExtras
}

/** A class apart: in each object JavaScript keeps room for as many members as its own class has. */
abstract class WithTerms {
  abstract readonly terms: KeyTerms

  get rate(): Rate | null {
    return this.terms.rate
  }

  get place(): string {
    return this.terms.place
  }

  get label(): LimitLabel | null {
    return this.terms.label
  }

  get hasBudgets(): boolean {
    return this.terms.hasBudgets
  }
}

/** The limits of one key, compiled once for as long as it is remembered; as little as can be is its own. */
export class KeyAllowance extends WithTerms {
  readonly subject: string
  readonly terms: KeyTerms

  constructor(subject: string, terms: KeyTerms) {
    super()
    this.subject = subject
    this.terms = terms
  }
}

export interface KeyAllowancesOptions {
  /** How many subjects each limit remembers at most. */
  readonly maxSubjects: number
  readonly ledger: QuotaLedger
  readonly keys: Pick<KeyStore, 'claimCredits' | 'giveBackCredits'>
  readonly quotas: Pick<QuotaStore, 'claim' | 'giveBack'>
  readonly defaultRate: RateLimitSetting | false
  readonly strategy: Strategy
  /** Null where nobody measures. */
  readonly meter: LimitMeter | null
}

export class KeyAllowances {
  readonly #options: KeyAllowancesOptions
  /** As many as organizations whose keys were used. */
  readonly #tenants = new Map<string, Limiters>()
  readonly #compiler: KeyTermsCompiler

  constructor(options: KeyAllowancesOptions) {
    this.#options = options
    this.#compiler = new KeyTermsCompiler(options.defaultRate, options.strategy)
  }

  of(principal: ApiKeyPrincipal): KeyAllowance {
    const { counted } = principal
    if (counted instanceof KeyAllowance && counted.terms.compiler === this.#compiler) return counted
    const allowance = new KeyAllowance(flat(subjectOf('apiKey', principal.id)), this.#compiler.termsOf(principal))
    principal.counted = allowance
    return allowance
  }

  /** The limiter of a key's own rate. */
  limiterOf({ terms }: KeyAllowance, rate: Rate, now: number): Limiter {
    const { limiter, place, tenant } = terms
    if (limiter !== null && !limiter.isRetired) return limiter
    let limiters = this.#tenants.get(tenant)
    if (limiters === undefined) {
      limiters = new Limiters(this.#options.maxSubjects)
      this.#tenants.set(tenant, limiters)
    }
    terms.limiter = limiters.occasional(place, rate, now)
    return terms.limiter
  }

  /** Lets a subject start anew at its own limit. */
  forget(subject: string): void {
    for (const limiters of this.#tenants.values()) limiters.forget(subject)
  }

  /**
   * Takes one use of the month, of the organization's month and of the credits, or of none of them. For whom storage has
   * kept waiting already there are those that were claimed before, and no others.
   *
   * @param now epoch ms
   */
  reserve(principal: ApiKeyPrincipal, now: number): Reservation | Promise<Reservation> {
    const { ledger } = this.#options
    const budgets = this.#budgetsOf(principal, now)
    const [first, ...others] = budgets
    if (first === undefined) return { kind: 'reserved', release: () => undefined }
    if (isBelieved(principal, now)) return this.#reserveClaimed(budgets, now)
    const taken = others.length === 0 ? ledger.take(first, now) : null
    if (typeof taken === 'boolean') this.#options.meter?.decision(first.kind, taken)
    if (taken === true) {
      const version = ledger.versionOf(first.id)
      return { kind: 'reserved', release: () => ledger.release(first, version) }
    }
    if (taken === false) return { kind: 'exhausted', of: first.kind, extras: first.exhausted(now) }
    return this.#reserveAll(budgets, taken, now)
  }

  #reserveClaimed(budgets: readonly KeyBudget[], now: number): Reservation {
    const { ledger, meter } = this.#options
    const taken: { readonly budget: KeyBudget; readonly version: number | null }[] = []
    const release = () => {
      for (const { budget, version } of taken) ledger.release(budget, version)
    }
    for (const budget of budgets) {
      const isTaken = ledger.takeClaimed(budget, now)
      if (isTaken !== null) meter?.decision(budget.kind, isTaken)
      if (isTaken === true) {
        taken.push({ budget, version: ledger.versionOf(budget.id) })
        continue
      }
      release()
      if (isTaken === false) return { kind: 'exhausted', of: budget.kind, extras: budget.exhausted(now) }
      // Storage may be slow and no more: then whoever comes next finds some.
      ledger.claimAhead(budget, now)
      const failure = new MachineAuthError('storage_unavailable', { retryable: true, retryAfter: 1 })
      return { kind: 'failed', failure }
    }
    return { kind: 'reserved', release }
  }

  async #reserveAll(
    budgets: readonly KeyBudget[],
    firstTake: Promise<boolean> | null,
    now: number,
  ): Promise<Reservation> {
    const { ledger } = this.#options
    const reserved: { readonly budget: KeyBudget; readonly version: number | null }[] = []
    const release = () => {
      for (const { budget, version } of reserved) ledger.release(budget, version)
    }
    try {
      for (const [index, budget] of budgets.entries()) {
        const isTaken = await ((index === 0 ? firstTake : null) ?? ledger.take(budget, now))
        this.#options.meter?.decision(budget.kind, isTaken)
        if (!isTaken) {
          release()
          return { kind: 'exhausted', of: budget.kind, extras: budget.exhausted(now) }
        }
        reserved.push({ budget, version: ledger.versionOf(budget.id) })
      }
    } catch (error) {
      release()
      throw error
    }
    return { kind: 'reserved', release }
  }

  #budgetsOf({ id, use }: ApiKeyPrincipal, now: number): readonly KeyBudget[] {
    const budgets: KeyBudget[] = []
    if (use.monthlyQuota !== null) budgets.push(this.#monthly(subjectOf('apiKey', id), use.monthlyQuota, now))
    if (use.organizationQuota !== null) {
      const { organizationId, limit } = use.organizationQuota
      budgets.push(this.#monthly(subjectOf('organization', organizationId), limit, now))
    }
    if (use.credits !== null) budgets.push(this.#credits(id, use.credits, now))
    return budgets
  }

  #monthly(subject: string, limit: number, now: number): KeyBudget {
    const { quotas } = this.#options
    const period = monthOf(now)
    return {
      kind: 'quota',
      id: `${period} ${subject}`,
      limit,
      async claim(amount) {
        const used = amount > limit ? null : await quotas.claim({ subject, period, amount, limit })
        return used === null ? null : { left: limit - used, version: 0 }
      },
      giveBack: (amount) => quotas.giveBack(subject, period, amount),
      nextRefill: () => null,
      exhausted(at) {
        const end = endOfMonth(at)
        const whose = subject.startsWith('organization:') ? "organization's" : "key's"
        return {
          detail: `The ${whose} quota of ${limit} requests a month is used up. It resets at ${toTimestamp(end)}.`,
          retryAfter: (end - at) / 1000,
          resetsAt: toTimestamp(end),
        }
      },
    }
  }

  #credits(id: string, { refill }: NonNullable<KeyUse['credits']>, now: number): KeyBudget {
    const { keys } = this.#options
    const nextRefill = (at: number) =>
      refill === null ? null : refill.since + (Math.floor((at - refill.since) / refill.every) + 1) * refill.every
    return {
      kind: 'credits',
      id: creditsBudgetId(id),
      limit: null,
      claim: (amount) => keys.claimCredits(id, amount, now),
      giveBack: (amount, version) => keys.giveBackCredits(id, amount, version),
      nextRefill,
      exhausted(at) {
        const detail = 'The API key has no uses left.'
        const next = nextRefill(at)
        if (next === null) return { detail }
        return {
          detail: `${detail} It is refilled at ${toTimestamp(next)}.`,
          retryAfter: (next - at) / 1000,
          resetsAt: toTimestamp(next),
        }
      },
    }
  }

  /** Uses that a key has left after its last one; null for a key without credits. */
  creditsLeft({ id, use }: ApiKeyPrincipal): number | null {
    return use.credits === null ? null : this.#options.ledger.leftOf(creditsBudgetId(id))
  }

  /** Uses that storage counts as used although they are still to come, for views. */
  unusedCredits(keyId: string): number {
    return this.#options.ledger.unusedOf(creditsBudgetId(keyId))
  }

  /**
   * Hands out nothing more of what was claimed of a key's credits: another number of them was, or may have been, set.
   *
   * @param keyId `*` for every key
   */
  forgetCredits(keyId: string): void {
    const { ledger } = this.#options
    if (keyId === '*') ledger.forgetAll(creditsBudgetId(''))
    else ledger.forget(creditsBudgetId(keyId))
  }
}

/** The same text without the pieces that it was put together from, which JavaScript would keep room for. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}

function creditsBudgetId(keyId: string): string {
  return `credits ${keyId}`
}
