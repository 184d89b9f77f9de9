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

/** How many functions of a source there are, by its hash: as many as an app has written. */
const functionsOfSource = new Map<string, number>()
const functionNames = new WeakMap<object, string>()

/**
 * Names a function by its source, and by how many others of the same source came before it: the same in every process
 * of an app, which makes its limits in the same order.
 */
function nameOfFunction(given: object): string {
  const known = functionNames.get(given)
  if (known !== undefined) return known
  const source = Bun.SHA256.hash(given.toString(), 'base64url')
  const earlier = functionsOfSource.get(source) ?? 0
  functionsOfSource.set(source, earlier + 1)
  const name = `#${source}.${earlier}`
  functionNames.set(given, name)
  return name
}

/** In names that outlive the process functions are told apart by their source. */
function describeBy(by: LimitSubject): string {
  return typeof by === 'string' ? by : `custom-${Bun.SHA256.hash(by.toString(), 'hex').slice(0, 6)}`
}

/**
 * How the functions of limits are told apart. `identity`: what routes declare is made once. `source`: what a handler
 * writes is made anew for every request, and each would have a limit of its own.
 */
export type FunctionIdentity = 'identity' | 'source'

function fingerprintOf(members: readonly unknown[], functionsBy: FunctionIdentity): string {
  return JSON.stringify(
    members.map((member) => {
      if (typeof member !== 'function') return member
      return functionsBy === 'identity' ? nameOfFunction(member) : member.toString()
    }),
  )
}

function compileOne(policy: LimitPolicy, strategy: LimitStrategy, functionsBy: FunctionIdentity): CompiledPolicy {
  const { by = 'ip', scope = 'path' } = policy
  if ('concurrent' in policy) {
    const { concurrent, name = `${describeBy(by)}-concurrent` } = policy
    const fingerprint = fingerprintOf(['concurrent', name, by, scope, concurrent], functionsBy)
    return Object.freeze({ kind: 'concurrent', by, scope, name, concurrent, fingerprint })
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
  const fingerprint = fingerprintOf(['rate', name, by, scope, ...shape], functionsBy)
  const end = lockout === undefined ? null : parseLockout(lockout, timeZone)
  return Object.freeze({ kind: 'rate', by, scope, name, rate, cost, lockout: end, isOverride, fingerprint })
}

/** In one list, functions of one source that are not the same (one function has made them) are limits of their own. */
function tellApart(all: readonly CompiledPolicy[], policy: CompiledPolicy, index: number): CompiledPolicy {
  const twin = all.slice(0, index).find(({ fingerprint }) => fingerprint === policy.fingerprint)
  if (twin === undefined || (twin.by === policy.by && costOf(twin) === costOf(policy))) return policy
  return Object.freeze({ ...policy, fingerprint: `${policy.fingerprint} ${index}` })
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
export function compilePolicies(
  given: RateLimitInput,
  strategy: LimitStrategy,
  at: string,
  functionsBy: FunctionIdentity = 'identity',
): readonly CompiledPolicy[] {
  const mistakes = limitMistakes(given, at)
  if (mistakes.length > 0) throw new TypeError(mistakes.join('\n'))
  const policies = Array.isArray(given) ? (given as readonly LimitPolicy[]) : [given as LimitPolicy]
  const compiled = policies.map((policy) => compileOne(policy, strategy, functionsBy))
  return functionsBy === 'identity' ? compiled : compiled.map((policy, index) => tellApart(compiled, policy, index))
}
