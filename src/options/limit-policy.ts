/** The shape of a limit, as guards and the option `rateLimit.default` take it. */
import { type TSchema, Type } from '@sinclair/typebox'
import { Errors, ValueErrorType } from '@sinclair/typebox/errors'
import type { DurationInput } from '../lib/duration.ts'
import { DURATION_ACCEPTED } from '../lib/duration.ts'
import { isLockout, isTimeZone, LOCKOUT_ACCEPTED } from '../lib/lockout-end.ts'
import type { LimitPolicy, LimitSubject, RateLimitInput, RatePolicy } from './limit-types.ts'
import { describeGiven, formatPath, kindOf } from './mistakes.ts'
import * as is from './predicates.ts'
import { check, oneOf, whole } from './schema-kinds.ts'

export const MAX_LIMIT = 1_000_000_000

export const STRATEGY = oneOf('sliding-window', 'sliding-window-counter', 'token-bucket')
export const positiveDuration = check<DurationInput>(`${DURATION_ACCEPTED}, above zero`, is.isPositiveDuration)

const scoped = {
  by: Type.Optional(
    check<LimitSubject>("'ip', 'apiKey', 'user', 'organization' or a function (context) => text", is.isLimitSubject),
  ),
  scope: Type.Optional(oneOf('path', 'global')),
  name: Type.Optional(check<string>("1 to 64 letters, digits, '-' and '_'", is.isLimitName)),
}

const rateSchema = Type.Object(
  {
    limit: whole(1, MAX_LIMIT),
    window: positiveDuration,
    strategy: Type.Optional(STRATEGY),
    burst: Type.Optional(whole(1, MAX_LIMIT)),
    cost: Type.Optional(
      check<NonNullable<RatePolicy['cost']>>('a whole number from 0, or a function (context) => number', is.isCost),
    ),
    lockout: Type.Optional(check<DurationInput>(LOCKOUT_ACCEPTED, isLockout)),
    timeZone: Type.Optional(check<string>("an IANA time zone such as 'Europe/Berlin'", isTimeZone)),
    override: Type.Optional(oneOf(true)),
    ...scoped,
  },
  { additionalProperties: false },
)

const concurrencySchema = Type.Object({ concurrent: whole(1, 1_000_000), ...scoped }, { additionalProperties: false })

const POLICY_ACCEPTED =
  "a limit { limit, window, by?, strategy?, burst?, cost?, lockout?, timeZone?, override?, scope?, name? } such as { limit: 60, window: '1m' }, or { concurrent, by?, scope?, name? }"

/** A schema chosen by what is given, so that a mistake is named where it is. */
function schemaOf(value: unknown): TSchema {
  return typeof value === 'object' && value !== null && 'concurrent' in value ? concurrencySchema : rateSchema
}

/** What single members cannot say. */
function contradictionIn(policy: LimitPolicy): string | null {
  if ('concurrent' in policy) return null
  const { limit, by, strategy, burst, cost, lockout, timeZone, override } = policy
  const most = strategy === 'token-bucket' ? (burst ?? limit) : limit
  if (burst !== undefined && strategy !== 'token-bucket') return "burst is for strategy: 'token-bucket'"
  if (typeof cost === 'number' && cost > most) return `a cost of ${cost} never fits into ${most}`
  if (timeZone !== undefined && typeof lockout !== 'string') return 'timeZone is for a lockout until a time of day'
  if (override === true && by !== 'apiKey')
    return "override is for by: 'apiKey': it takes the place of a key's own limit"
  return null
}

function explain(type: ValueErrorType, schema: TSchema, value: unknown): string {
  if (type === ValueErrorType.ObjectAdditionalProperties) return 'there is no such member'
  return `given ${value === undefined ? kindOf(value) : describeGiven('', value)}; accepted: ${schema.accepted}`
}

/**
 * What is wrong with one limit or a list of them: a line for each mistake, empty when nothing is.
 *
 * @param at where it was written, such as `rateLimit`
 */
export function limitMistakes(given: unknown, at: string): readonly string[] {
  const policies = Array.isArray(given) ? given : [given]
  if (policies.length === 0) return [`${at}: name at least one limit; an empty list would limit nothing`]
  return policies.flatMap((policy, index) => {
    const place = Array.isArray(given) ? `${at}[${index}]` : at
    if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) {
      return [`${place}: given ${kindOf(policy)}; accepted: ${POLICY_ACCEPTED}`]
    }
    const errors = [...Errors(schemaOf(policy), [], policy)].map(({ path, type, schema, value }) => {
      const member = formatPath(path.split('/').slice(1))
      return `${place}.${member}: ${explain(type, schema, value)}`
    })
    if (errors.length > 0) return [...new Map(errors.map((line) => [line.split(':')[0], line])).values()]
    const contradiction = contradictionIn(policy as LimitPolicy)
    return contradiction === null ? [] : [`${place}: ${contradiction}`]
  })
}

function isCountedByPath(policy: LimitPolicy): boolean {
  return policy.scope === 'path'
}

/**
 * For the schema of options, where a mistake is reported at the option. A limit for everything counts everything
 * together: one that starts anew on every path is none against somebody who tries paths.
 */
export const defaultLimitSchema = check<RateLimitInput>(
  `${POLICY_ACCEPTED}, or a list of such; the scope is 'global'`,
  (value) => limitMistakes(value, '').length === 0 && !(Array.isArray(value) ? value : [value]).some(isCountedByPath),
)
