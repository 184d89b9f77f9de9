/** Holds requests to blocks and limits: decides, counts, and says how the limits stand. */
import type { ApiKeyPrincipal, Principal } from '../authentication/principal.ts'
import type { NewBlock } from '../blocks/new-block.ts'
import type { BlockView } from '../blocks/views.ts'
import type { MachineAuthError } from '../errors.ts'
import type { AbuseGuard } from '../limits/abuse.ts'
import { type LimitHeaders, waitOf, writeLimitHeaders } from '../limits/headers.ts'
import { InFlight } from '../limits/in-flight.ts'
import type { KeyAllowance, KeyAllowances, Reservation } from '../limits/key-allowance.ts'
import type { Reading } from '../limits/limiter.ts'
import type { Limiters } from '../limits/limiters.ts'
import type { CompiledPolicy, CompiledRate } from '../limits/policy.ts'
import type { SharedLimits } from '../limits/shared-limits.ts'
import type { LimitContext, LimitStrategy, RateLimitInput } from '../options/limit-types.ts'
import type { Charges } from './charges.ts'
import { type Claimed, claimKey, claimRate } from './claims.ts'
import { enterOne, hitEach, isKnownRefused, isOwn } from './counting.ts'
import { HandlerLimits } from './handler-limits.ts'
import { RequestContext } from './limit-context.ts'
import { createLimitPlan, type LimitPlan, LimitPlans, type PlannedConcurrency, type PlannedRate } from './limit-plan.ts'
import { limitSubject } from './limit-subject.ts'
import { type LimitsPort, NOWHERE, type Whereabouts } from './limits-port.ts'
import type { Presented } from './presented.ts'
import { type Excess, RequestBlocks, type RequestBlocksOptions } from './request-blocks.ts'
import { SharedCharges } from './shared-charges.ts'
import type { AnswerHeaders } from './vary.ts'

export interface RequestLimitsOptions extends RequestBlocksOptions {
  readonly headers: LimitHeaders
  readonly strategy: LimitStrategy
  readonly default: readonly CompiledPolicy[]
  readonly limiters: Limiters
  readonly allowances: KeyAllowances
  readonly block: (input: NewBlock, createdBy: string) => Promise<BlockView>
  /** Null when wrong credentials are not counted. */
  readonly abuse: AbuseGuard | null
  /** Counts that other processes have a part in; null where this one counts alone. */
  readonly shared: SharedLimits | null
}

/** Of a limit that a handler asks for. */
interface HandlerPlan extends LimitPlan {
  readonly rates: readonly [PlannedRate, ...PlannedRate[]]
}

function isHandlerPlan(plan: LimitPlan): plan is HandlerPlan {
  return plan.rates.length > 0 && plan.concurrencies.length === 0
}

export class RequestLimits implements LimitsPort<Presented> {
  readonly #plans: LimitPlans
  readonly #options: RequestLimitsOptions
  readonly #default: LimitPlan | null
  readonly #blocks: RequestBlocks
  readonly #inFlight = new InFlight()
  readonly #handlerLimits: HandlerLimits
  readonly ahead: SharedCharges | null

  constructor(options: RequestLimitsOptions) {
    this.#options = options
    this.#blocks = new RequestBlocks(options)
    this.#handlerLimits = new HandlerLimits(options.strategy)
    this.#plans = new LimitPlans(options.limiters, options.shared)
    this.#default = options.default.length === 0 ? null : this.#plans.of(options.default, null)
    this.ahead = options.shared === null ? null : this.#createAhead(options, options.shared)
  }

  #createAhead({ clock, allowances }: RequestLimitsOptions, shared: SharedLimits): SharedCharges {
    return new SharedCharges({
      shared,
      clock,
      allowances,
      default: this.#default,
      plans: this.#plans,
      blocks: this.#blocks,
      handlerPlan: (presented, given, whereabouts) => this.#handlerPlan(presented, given, whereabouts),
    })
  }

  /** The limits of every request that no other ones are for. */
  get defaults(): readonly CompiledPolicy[] {
    return this.#options.default
  }

  /**
   * What blocks decide about an address alone, before any credential is looked at.
   *
   * @returns the refusal, or null
   */
  refuseAddress(presented: Presented): MachineAuthError | null {
    return this.#blocks.refuseAddress(presented)
  }

  /** Whether there is a default limit that needs no credential to be known. */
  get hasAddressDefault(): boolean {
    return this.#default?.isByAddress === true
  }

  /** Whether there is a default limit that counts whom a credential speaks for. */
  get hasPrincipalDefault(): boolean {
    return this.#default?.isByAddress === false
  }

  /**
   * Counts a request for the default limit.
   *
   * @throws MachineAuthError `rate_limited`, `locked_out`
   */
  chargeDefault(presented: Presented): void {
    if (this.#default !== null) this.#charge(presented, 'default', this.#default, NOWHERE)
  }

  requireUnblockedRoute(presented: Presented, route: string): void {
    this.#blocks.requireUnblockedRoute(presented, route)
  }

  requireUnblocked(presented: Presented, principal: Principal): void {
    this.#blocks.requireUnblocked(presented, principal)
  }

  chargeKey(presented: Presented, principal: ApiKeyPrincipal): void {
    if (presented.charges?.isKeyCharged === true) return
    const { allowances, clock } = this.#options
    const allowance = allowances.of(principal)
    if (allowance.rate === null && !allowance.hasBudgets) return
    const charges = this.#chargesOf(presented)
    const now = clock()
    charges.at = now
    if (allowance.hasBudgets) this.#requireReserved(presented, charges, claimKey(allowances, allowance, now))
    const { label } = allowance
    const reading = charges.isKeyOverridden ? undefined : this.#hitKey(charges, allowance, now)
    if (reading !== undefined && label !== null) {
      charges.standings.push({ label, reading })
      this.#options.meter?.decision('key', reading.isAllowed)
      if (!reading.isAllowed) throw presented.refuse('rate_limited', { retryAfter: waitOf(reading) / 1000 })
    }
    charges.noteKey()
  }

  /** Where counts are shared, what nobody has asked them for is decided by them too. */
  #chargesOf(presented: Presented): Charges {
    const charges = presented.ensureCharges()
    this.ahead?.decisionsOf(charges)
    return charges
  }

  /** Undefined for a key without a rate of its own. */
  #hitKey(charges: Charges, allowance: KeyAllowance, now: number): Reading | undefined {
    const { allowances } = this.#options
    if (charges.decided !== null) return hitEach(charges, claimKey(allowances, allowance, now), now)[0]
    const { rate, subject } = allowance
    return rate === null ? undefined : allowances.limiterOf(allowance, rate, now).hit(subject, now)
  }

  #requireReserved(presented: Presented, charges: Charges, claimed: readonly Claimed[]): void {
    const { reservation, standings, at } = charges
    if (reservation?.kind === 'reserved') return
    // Every request passes where uses are taken in advance; one that did not is not let in uncounted.
    if (reservation === null) throw presented.refuse('internal_error')
    if (reservation.kind === 'failed') throw reservation.failure
    // The limits are not counted, and the answer says how they stand all the same, where this process knows.
    for (const { claim, label } of this.ahead === null ? claimed : []) {
      standings.push({ label, reading: claim.limiter.read(claim.subject, at, 0) })
    }
    throw presented.refuse('quota_exceeded', reservation.extras)
  }

  /** Takes a use of a key's quotas in advance, so that no guard has to wait for storage. */
  reserve(presented: Presented): Reservation | Promise<Reservation> | null {
    const { allowances, clock } = this.#options
    const principal = presented.speakingKey
    if (principal === null || !allowances.of(principal).hasBudgets) return null
    return allowances.reserve(principal, clock())
  }

  chargeRoute(
    presented: Presented,
    policies: readonly CompiledPolicy[],
    whereabouts: Whereabouts,
    isGuarded: boolean,
  ): void {
    presented.isCountedByRoute = true
    this.#charge(presented, 'route', this.#plans.of(policies, whereabouts.route), whereabouts, isGuarded)
  }

  /** @param withKey counts it for its key's own limit too: for all or for none */
  #charge(
    presented: Presented,
    kind: 'default' | 'route' | 'handler',
    plan: LimitPlan,
    whereabouts: Whereabouts,
    withKey = false,
  ): void {
    const charges = this.#chargesOf(presented)
    const rates = charges.uncounted(plan.rates)
    const concurrencies = charges.uncounted(plan.concurrencies)
    if (rates.length + concurrencies.length === 0) return
    const now = this.#options.clock()
    charges.at = now
    const context = new RequestContext(presented, whereabouts)
    const claimed: Claimed[] = rates.map((rate) => {
      const each = claimRate(rate, kind, presented, context)
      this.#blocks.requireNotLockedOut(presented, each.claim.subject, plan.route, now)
      return each
    })
    charges.isKeyOverridden ||= plan.overridesKey
    const key = withKey && !charges.isKeyCharged ? presented.foremostKey : null
    if (key !== null) {
      const allowance = this.#options.allowances.of(key)
      if (!charges.isKeyOverridden) claimed.push(...claimKey(this.#options.allowances, allowance, now))
      if (allowance.hasBudgets) this.#requireReserved(presented, charges, claimed)
    }
    if (!isKnownRefused(charges, claimed)) this.#enter(presented, charges, concurrencies, context)
    this.#hit(presented, charges, claimed, plan.route, now)
    charges.noteCounted(rates)
    charges.noteCounted(concurrencies)
    if (key !== null) charges.noteKey()
  }

  #hit(presented: Presented, charges: Charges, claimed: readonly Claimed[], route: string | null, now: number): void {
    const readings = hitEach(charges, claimed, now)
    let refused: Excess | null = null
    for (const [index, { claim, label, policy, kind }] of claimed.entries()) {
      const reading = readings[index]
      if (reading === undefined) continue
      charges.standings.push({ label, reading })
      this.#options.meter?.decision(kind, reading.isAllowed)
      if (reading.isAllowed || (refused !== null && refused.wait >= waitOf(reading))) continue
      refused = { policy, subject: claim.subject, wait: waitOf(reading), isOwn: isOwn(charges, claim, reading) }
    }
    if (refused !== null) throw this.#blocks.refuseExcess(presented, refused, route, now)
  }

  #enter(
    presented: Presented,
    charges: Charges,
    concurrencies: readonly PlannedConcurrency[],
    context: LimitContext,
  ): void {
    for (const { policy, place } of concurrencies) {
      const subject = limitSubject(policy.by, policy.name, presented, context)
      const hasEntered = enterOne(charges, place, subject, policy.concurrent, this.#inFlight)
      this.#options.meter?.decision('concurrency', hasEntered)
      if (!hasEntered) {
        const detail = `At most ${policy.concurrent} requests at once. Wait until one is answered.`
        throw presented.refuse('rate_limited', { detail, retryAfter: 1, retryable: true })
      }
    }
  }

  chargeInHandler(presented: Presented, given: RateLimitInput, whereabouts: Whereabouts): Reading {
    const plan = this.#handlerPlan(presented, given, whereabouts)
    this.#charge(presented, 'handler', plan, whereabouts)
    const { place, limiter, policy } = plan.rates[0]
    const context = new RequestContext(presented, whereabouts)
    const subject = limitSubject(policy.by, policy.name, presented, context)
    return presented.charges?.decided?.readingOf({ place, subject }) ?? limiter.read(subject, this.#options.clock(), 0)
  }

  #handlerPlan(presented: Presented, given: RateLimitInput, whereabouts: Whereabouts): HandlerPlan {
    const { limiters, clock } = this.#options
    presented.speakAsProven()
    const policies = this.#handlerLimits.compile(given)
    const find = (place: string, { rate }: CompiledRate) => limiters.occasional(place, rate, clock())
    const plan = createLimitPlan(policies, whereabouts.route, find)
    if (!isHandlerPlan(plan)) throw new TypeError('auth.rateLimit: write { concurrent } on the route')
    return plan
  }

  async block(input: NewBlock, createdBy: string): Promise<BlockView | null> {
    return this.#options.blocks.exempts(input.subject) ? null : this.#options.block(input, createdBy)
  }

  noteWrong(presented: Presented): number {
    const { abuse, clock, meter } = this.#options
    // Asked for only where it is counted: finding an address out costs as much as the refusal.
    const wait = abuse?.note(presented.address, clock()) ?? 0
    if (wait > 0) meter?.decision('abuse', false)
    return wait
  }

  writeHeaders(presented: Presented, headers: AnswerHeaders): void {
    const { charges } = presented
    if (charges === null || charges.written === charges.standings.length) return
    charges.written = charges.standings.length
    writeLimitHeaders(headers, charges.standings, this.#options.headers, charges.at)
  }
}
