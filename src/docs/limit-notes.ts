/** What the document says of a route's limits, in words. */
import { formatDuration } from '../lib/duration.ts'
import type { LockoutEnd } from '../lib/lockout-end.ts'
import type { CompiledPolicy, CompiledRate } from '../limits/policy.ts'
import type { LimitSubject } from '../options/limit-types.ts'

const SUBJECTS: Readonly<Record<Extract<LimitSubject, string>, string>> = {
  ip: 'for each address',
  apiKey: 'for each API key, else for each address',
  user: 'for each user, else for each address',
  organization: 'for each organization, else for each address',
}

function subjectText(by: LimitSubject): string {
  return typeof by === 'string' ? SUBJECTS[by] : 'for each caller, as the app tells them apart'
}

/** How much comes through at most; what is not exact says so. */
const AMOUNTS: Readonly<
  Record<CompiledRate['rate']['strategy'], (limit: string, rate: CompiledRate['rate']) => string>
> = {
  'sliding-window': (limit, { window }) => `At most ${limit} in ${formatDuration(window)}`,
  'sliding-window-counter': (limit, { window }) => `At most about ${limit} in ${formatDuration(window)}`,
  'token-bucket': (limit, { window, burst }) =>
    `On average at most ${limit} in ${formatDuration(window)}, ${burst} at once,`,
}

function counted(amount: number, unit: string): string {
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`
}

function costText(cost: CompiledRate['cost']): string {
  if (typeof cost === 'function') return ' How many units a request costs depends on it.'
  return cost === 1 ? '' : ` A request costs ${counted(cost, 'unit')}.`
}

/** A duration ends later the later it begins, a time of day does not. */
function lockoutText(lockout: LockoutEnd): string {
  const end = lockout(1) - lockout(0) === 1 ? `for ${formatDuration(lockout(0))}` : 'until a set time of day'
  return ` Whoever exceeds that is locked out ${end}.`
}

function sentenceOf(policy: CompiledPolicy): string {
  const together = policy.scope === 'global' ? ', together with the other routes of this limit' : ''
  const whose = `${subjectText(policy.by)}${together}.`
  if (policy.kind === 'concurrent') return `At most ${counted(policy.concurrent, 'request')} at once ${whose}`
  const { rate, cost, lockout } = policy
  const limit = counted(rate.limit, cost === 1 ? 'request' : 'unit')
  const amount = AMOUNTS[rate.strategy](limit, rate)
  return `${amount} ${whose}${costText(cost)}${lockout === null ? '' : lockoutText(lockout)}`
}

/** Sentences for the limits of one route; empty without any. */
export function describeLimits(policies: readonly CompiledPolicy[]): string {
  return [...new Set(policies.map(sentenceOf))].join(' ')
}

/** Whether headers say how these limits stand; they say nothing of requests at once. */
export function hasRate(policies: readonly CompiledPolicy[]): boolean {
  return policies.some(({ kind }) => kind === 'rate')
}

export function hasLockout(policies: readonly CompiledPolicy[]): boolean {
  return policies.some((policy) => policy.kind === 'rate' && policy.lockout !== null)
}
