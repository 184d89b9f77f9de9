/** Limits as routes write them, compiled: durations parsed, defaults filled in, everything checked. */
import { formatDuration, parseDuration } from '../lib/duration.ts'
import { type LockoutEnd, parseLockout } from '../lib/lockout-end.ts'
import { limitMistakes } from '../options/limit-policy.ts'
import type { LimitPolicy, LimitStrategy, LimitSubject, RateLimitInput, RatePolicy } from '../options/limit-types.ts'
import { createRate, type Rate } from './rate.ts'

interface CompiledScope {
  readonly by: LimitSubject
  readonly scope: 'path' | 'global'
  /** In headers, and in the names of locked out `custom` subjects. */
  readonly name: string
  /** Whether the app has given the name. */
  readonly isNamed: boolean
  /** The same for limits that count together when they meet in one place. */
  readonly fingerprint: string
}

export interface CompiledRate extends CompiledScope {
  readonly kind: 'rate'
  readonly rate: Rate
  readonly cost: NonNullable<RatePolicy['cost']>
  readonly lockout: LockoutEnd | null
  /** Whether it takes the place of a key's own limit. */
  readonly isOverride: boolean
}

export interface CompiledConcurrency extends CompiledScope {
  readonly kind: 'concurrent'
  readonly concurrent: number
}

export type CompiledPolicy = CompiledRate | CompiledConcurrency

/**
 * Names a function by its source, which is the same in every process of an app, in whatever order they make their
 * limits. Twins, which one function has made, have one name: see `tellApart`.
 */
function nameOfFunction(given: object): string {
  return `#${Bun.SHA256.hash(given.toString(), 'base64url')}`
}

/** In names that outlive the process functions are told apart by their source. */
function describeBy(by: LimitSubject): string {
  return typeof by === 'string' ? by : `custom-${Bun.SHA256.hash(by.toString(), 'hex').slice(0, 6)}`
}

function fingerprintOf(members: readonly unknown[]): string {
  return JSON.stringify(members.map((member) => (typeof member === 'function' ? nameOfFunction(member) : member)))
}

function compileOne(policy: LimitPolicy, strategy: LimitStrategy): CompiledPolicy {
  const isNamed = policy.name !== undefined
  const { by = 'ip', scope = 'path' } = policy
  if ('concurrent' in policy) {
    const { concurrent, name = `${describeBy(by)}-concurrent` } = policy
    const fingerprint = fingerprintOf(['concurrent', name, by, scope, concurrent])
    return Object.freeze({ kind: 'concurrent', by, scope, name, isNamed, concurrent, fingerprint })
  }
  const { cost = 1, lockout, timeZone } = policy
  const isOverride = policy.override === true
  const window = parseDuration(policy.window)
  const rate = createRate({
    limit: policy.limit,
    window,
    strategy: policy.strategy ?? strategy,
    ...(policy.burst === undefined ? {} : { burst: policy.burst }),
  })
  const name = policy.name ?? `${describeBy(by)}-${policy.limit}-${formatDuration(window)}`
  const shape = [
    rate.strategy,
    rate.limit,
    rate.window,
    rate.burst,
    cost,
    lockout ?? null,
    timeZone ?? null,
    isOverride,
  ]
  const fingerprint = fingerprintOf(['rate', name, by, scope, ...shape])
  const end = lockout === undefined ? null : parseLockout(lockout, timeZone)
  return Object.freeze({ kind: 'rate', by, scope, name, isNamed, rate, cost, lockout: end, isOverride, fingerprint })
}

/** Whether two limits that say the same have the same functions too, and not such as one function has made. */
export function haveSameFunctions(one: CompiledPolicy, other: CompiledPolicy): boolean {
  return one.by === other.by && costOf(one) === costOf(other)
}

/**
 * In one list, functions of one source that are not the same are limits of their own, by their order in it: none of
 * them goes uncounted.
 */
export function tellApart(policies: readonly CompiledPolicy[]): readonly CompiledPolicy[] {
  const known = new Map<string, CompiledPolicy>()
  return policies.map((policy) => {
    let { fingerprint } = policy
    for (let number = 1; ; number += 1) {
      const twin = known.get(fingerprint)
      if (twin === undefined || haveSameFunctions(twin, policy)) break
      fingerprint = `${policy.fingerprint} ${number}`
    }
    known.set(fingerprint, policy)
    return fingerprint === policy.fingerprint ? policy : Object.freeze({ ...policy, fingerprint })
  })
}

function costOf(policy: CompiledPolicy): CompiledRate['cost'] | null {
  return policy.kind === 'rate' ? policy.cost : null
}

/**
 * Compiles one limit or a list of them.
 *
 * @param strategy for limits that name none
 * @param at where it was written, for the message
 * @throws TypeError with a line for each mistake
 * @example compilePolicies({ limit: 5, window: '1m', by: 'ip' }, 'sliding-window', 'rateLimit')
 */
export function compilePolicies(given: RateLimitInput, strategy: LimitStrategy, at: string): readonly CompiledPolicy[] {
  const mistakes = limitMistakes(given, at)
  if (mistakes.length > 0) throw new TypeError(mistakes.join('\n'))
  const policies = Array.isArray(given) ? (given as readonly LimitPolicy[]) : [given as LimitPolicy]
  return tellApart(policies.map((policy) => compileOne(policy, strategy)))
}
