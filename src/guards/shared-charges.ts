/**
 * Asks counts that several processes share, before the hooks that count a request: these decide without waiting, and
 * then find the answer in `charges.decided`.
 */
import type { ApiKeyPrincipal } from '../authentication/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { KeyAllowance, KeyAllowances, Reservation } from '../limits/key-allowance.ts'
import type { SharedClaim, SharedLimits } from '../limits/shared-limits.ts'
import type { RateLimitInput } from '../options/limit-types.ts'
import type { Charges } from './charges.ts'
import { claimKey, claimPlace, claimRate } from './claims.ts'
import { type ClaimedPlace, Decisions } from './decisions.ts'
import type { Foreseen, ForeseenRoute } from './foreseen.ts'
import { demandedKeys, type KeyDemand } from './key-demand.ts'
import { RequestContext } from './limit-context.ts'
import type { LimitPlan, LimitPlans } from './limit-plan.ts'
import { type AheadPort, NOWHERE, type Whereabouts } from './limits-port.ts'
import type { Presented } from './presented.ts'
import type { RequestBlocks } from './request-blocks.ts'
import type { RouteGuess } from './route-guess.ts'

export interface SharedChargesOptions {
  readonly shared: SharedLimits
  readonly clock: Clock
  readonly default: LimitPlan | null
  readonly plans: LimitPlans
  /** The plan of a limit that a handler asks for. @throws TypeError when the limit is none */
  readonly handlerPlan: (presented: Presented, given: RateLimitInput, whereabouts: Whereabouts) => LimitPlan
  readonly allowances: KeyAllowances
  readonly blocks: RequestBlocks
}

/** What is counted for all of it or for nothing; its places are taken first. */
interface Group {
  readonly claims: readonly SharedClaim[]
  readonly places: readonly ClaimedPlace[]
}

/** Whether a key's budgets leave it a use: one that is over them is refused before anything is counted. */
function isLeftAUse({ hasBudgets }: KeyAllowance, reservation: Reservation | null | undefined): boolean {
  return !hasBudgets || reservation?.kind === 'reserved'
}

/** What fails here (a function of the app's, say) fails again where the request is counted, and is told of there. */
function withoutFailure(collect: () => readonly Group[]): readonly Group[] {
  try {
    return collect()
  } catch {
    return []
  }
}

function distinct(claims: readonly SharedClaim[]): readonly SharedClaim[] {
  if (claims.length < 2) return claims
  const names = claims.map(({ place, subject, cost }) => JSON.stringify([place, subject, cost]))
  return claims.filter((_, index) => names.indexOf(names[index] ?? '') === index)
}

export class SharedCharges implements AheadPort<Presented> {
  readonly #options: SharedChargesOptions

  constructor(options: SharedChargesOptions) {
    this.#options = options
  }

  /** What was decided for a request; it decides at once what nobody has asked for. */
  decisionsOf(charges: Charges): Decisions {
    charges.decided ??= new Decisions(this.#options.shared)
    return charges.decided
  }

  askDefault(presented: Presented): Promise<void> | null {
    return this.#ask(presented, () => this.#ofDefault(presented))
  }

  /**
   * Asks for all that a request will be counted for on the way that it seems to go.
   *
   * @param isDefaultDue whether the default limit is still to count it, since it must know whom it counts
   * @returns null when nothing needs to be waited for; never rejects
   */
  askAhead(presented: Presented, foreseen: Foreseen, isDefaultDue: boolean): Promise<void> | null {
    return this.#ask(presented, () => [
      ...(isDefaultDue ? this.#ofDefault(presented) : []),
      ...this.#ofWay(presented, foreseen, isDefaultDue),
    ])
  }

  askKey(presented: Presented, demand: KeyDemand, late: Reservation | null): Promise<void> | null {
    return this.#ask(presented, () => {
      const { charges } = presented
      if (charges?.isKeyCharged === true || charges?.isKeyOverridden === true) return []
      const key = demand(presented)
      return key === null ? [] : this.#ofKeys(presented, [key], late ?? charges?.reservation, presented.route)
    })
  }

  askInHandler(presented: Presented, given: RateLimitInput, whereabouts: Whereabouts): Promise<void> | null {
    const plan = this.#options.handlerPlan(presented, given, whereabouts)
    return this.#ask(presented, () => this.#ofPlan(presented, plan, whereabouts))
  }

  #ofDefault(presented: Presented): readonly Group[] {
    const plan = this.#options.default
    return plan === null ? [] : this.#ofPlan(presented, plan, NOWHERE)
  }

  #ofWay(presented: Presented, { guess, rules }: Foreseen, isDefaultDue: boolean): readonly Group[] {
    const { reservation, isKeyOverridden } = presented.charges ?? {}
    const isOverridden = isKeyOverridden === true || (isDefaultDue && this.#options.default?.overridesKey === true)
    const route = guess?.route.path ?? null
    const ofRules = isOverridden ? [] : this.#ofKeys(presented, demandedKeys(presented, rules), reservation, route)
    if (guess === null) return ofRules
    // A rule refuses whoever is nobody before limits of the route count, some of which count what he asks for.
    const isTurnedAway =
      rules.length > 0 && !guess.route.isPublic && presented.speaker === null && presented.adminKey === null
    if (isTurnedAway) return ofRules
    const plan = this.#options.plans.of(guess.route.policies, route)
    const ofRoute = this.#ofRoute(presented, plan, guess, isOverridden)
    if (isOverridden || plan.overridesKey) return [...ofRules, ...ofRoute]
    const keys = demandedKeys(presented, guess.route.guards)
    return [...ofRules, ...ofRoute, ...this.#ofKeys(presented, keys, reservation, route)]
  }

  /** The limits of a route, and with them the own one of the key that its guards demand. */
  #ofRoute(
    presented: Presented,
    plan: LimitPlan,
    { route, params }: RouteGuess<ForeseenRoute>,
    isOverridden: boolean,
  ): readonly Group[] {
    if (plan.rates.length + plan.concurrencies.length === 0) return []
    return presented.whileSpokenBy(route.demanded, () => {
      const [group] = this.#ofPlan(presented, plan, { route: route.path, params })
      const key = route.guards.length > 0 ? presented.foremostKey : null
      if (group === undefined || key === null) return group === undefined ? [] : [group]
      const allowance = this.#options.allowances.of(key)
      if (!isLeftAUse(allowance, presented.charges?.reservation)) return []
      const ofKey = isOverridden || plan.overridesKey ? [] : this.#claimsOfKey(allowance)
      return [{ ...group, claims: [...group.claims, ...ofKey] }]
    })
  }

  #claimsOfKey(allowance: KeyAllowance): readonly SharedClaim[] {
    const { allowances, clock } = this.#options
    return claimKey(allowances, allowance, clock()).map(({ claim }) => claim)
  }

  /** Keys that are asked for alone. Whoever is blocked, or over his quota, is refused uncounted. */
  #ofKeys(
    presented: Presented,
    keys: readonly ApiKeyPrincipal[],
    reservation: Reservation | null | undefined,
    route: string | null,
  ): readonly Group[] {
    const { allowances, blocks } = this.#options
    return keys
      .filter((key) => isLeftAUse(allowances.of(key), reservation) && !blocks.keepsOut(presented, key, route))
      .map((key) => ({ claims: this.#claimsOfKey(allowances.of(key)), places: [] }))
  }

  /** None for whom one of the limits has locked out: he is refused uncounted. */
  #ofPlan(presented: Presented, plan: LimitPlan, whereabouts: Whereabouts): readonly Group[] {
    const { blocks } = this.#options
    const { charges } = presented
    return withoutFailure(() => {
      const context = new RequestContext(presented, whereabouts)
      const rates = charges?.uncounted(plan.rates) ?? plan.rates
      const concurrencies = charges?.uncounted(plan.concurrencies) ?? plan.concurrencies
      const claims = rates.map((rate) => claimRate(rate, 'route', presented, context).claim)
      if (claims.some(({ subject }) => blocks.isLockedOut(presented, subject, plan.route))) return []
      return [{ claims, places: concurrencies.map((each) => claimPlace(each, presented, context)) }]
    })
  }

  /** One question after the other for each request: what one has asked for, the next need not. */
  #ask(presented: Presented, collect: () => readonly Group[]): Promise<void> | null {
    const before = presented.charges?.asking ?? null
    if (before !== null) return before.then(() => this.#ask(presented, collect) ?? undefined)
    const decided = presented.charges?.decided ?? null
    const groups = withoutFailure(collect)
      .map(({ claims, places }) => ({
        claims: decided === null ? claims : claims.filter((claim) => !decided.has(claim)),
        places: decided === null ? places : places.filter((place) => !decided.hasPlace(place)),
      }))
      .filter(({ claims, places }) => claims.length + places.length > 0)
    if (groups.length === 0) return null
    const charges = presented.ensureCharges()
    const asking = this.#decide(charges, this.decisionsOf(charges), groups)
    if (asking === null) return null
    // Read while the connection is there: who hangs up meanwhile would be nobody to what counts him.
    void presented.address
    charges.asking = asking.then(() => {
      charges.asking = null
    })
    return charges.asking
  }

  #decide(charges: Charges, decisions: Decisions, groups: readonly Group[]): Promise<void> | null {
    const isAnyBounded = groups.some(({ places }) => places.length > 0)
    return isAnyBounded ? this.#enterAndHit(charges, decisions, groups) : this.#hit(decisions, groups)
  }

  async #enterAndHit(charges: Charges, decisions: Decisions, groups: readonly Group[]): Promise<void> {
    const { shared, clock } = this.#options
    const isIn = await Promise.all(
      groups.map((group) => {
        // Whoever is over a limit is refused all the same, and need not ask for a place: a hammer is kept from Redis.
        const known = shared.recall(group.claims, clock())
        if (known === null) return this.#enter(charges, decisions, group.places)
        decisions.decided(group.claims, known)
        return false
      }),
    )
    await this.#hit(
      decisions,
      groups.filter((_, index) => isIn[index]),
    )
  }

  /**
   * Asks for all places at once. Who got in anywhere leaves with the end of his request.
   *
   * @returns whether there was room everywhere
   */
  async #enter(charges: Charges, decisions: Decisions, places: readonly ClaimedPlace[]): Promise<boolean> {
    const { shared } = this.#options
    const isIn = await Promise.all(
      places.map(async (claimed) => {
        try {
          const leave = await shared.enter(claimed.place, claimed.subject, claimed.most, decisions.patience)
          decisions.placed(claimed, leave === null ? 'full' : 'entered')
          if (leave === null) return false
          charges.leaving ??= []
          charges.leaving.push(leave)
          return true
        } catch (reason) {
          decisions.placed(claimed, { reason })
          return false
        }
      }),
    )
    return isIn.every(Boolean)
  }

  /** A failure is kept for where the limit counts: routes without limits know nothing of it. */
  #hit(decisions: Decisions, groups: readonly Group[]): Promise<void> | null {
    const { shared, clock } = this.#options
    const claims = distinct(groups.flatMap((group) => group.claims))
    if (claims.length === 0) return null
    try {
      const answer = shared.hitAll(claims, clock(), decisions.patience)
      if (answer instanceof Promise) {
        return answer.then(
          (readings) => decisions.decided(claims, readings),
          (reason: unknown) => decisions.failed(claims, reason),
        )
      }
      decisions.decided(claims, answer)
    } catch (reason) {
      decisions.failed(claims, reason)
    }
    return null
  }
}
