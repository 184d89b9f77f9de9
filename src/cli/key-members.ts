/** The options that make and change keys. */
import type { Command } from 'commander'
import type { Credits } from '../limits/use-limits.ts'
import { UsageError } from './errors.ts'
import { collect, momentParser, parseObject, parseRate, parseRefill, parseWhole } from './input/values.ts'

/** False where something is taken away, by `--no-…`. */
export interface KeyMemberOptions {
  readonly name?: string
  readonly permission?: readonly string[] | false
  /** RFC 3339. */
  readonly expires?: string | false
  readonly rateLimit?: ReturnType<typeof parseRate> | false
  readonly quota?: number | false
  readonly credits?: number | false
  readonly refill?: ReturnType<typeof parseRefill>
  readonly ip?: readonly string[] | false
  readonly description?: string | false
  readonly metadata?: ReturnType<typeof parseObject> | false
}

export function withKeyMembers(command: Command, clock: () => number): Command {
  return command
    .option('--permission <name>', 'a permission or wildcard; may be repeated', collect)
    .option('--expires <when>', 'a time from now such as 90d, or an RFC 3339 time', momentParser(clock))
    .option('--rate-limit <rate>', 'such as 100/1m', parseRate)
    .option('--quota <n>', 'requests in a calendar month', parseWhole)
    .option('--credits <n>', 'uses, after which it is refused', parseWhole)
    .option('--refill <amount>', 'up to so many uses again every so often, such as 100/1d', parseRefill)
    .option('--ip <cidr>', 'an address or range it may be used from; may be repeated', collect)
    .option('--description <text>', 'a remark')
    .option('--metadata <json>', 'a JSON object', parseObject)
}

function creditsOf({ credits, refill }: KeyMemberOptions): Credits | null | undefined {
  if (credits !== undefined && credits !== false) return { remaining: credits, refill }
  if (refill !== undefined) throw new UsageError('--refill goes with --credits only')
  return credits === false ? null : undefined
}

/** What `--no-…` takes away is null; what was not given is undefined. */
function orNull<T>(value: T | false | undefined): T | null | undefined {
  return value === false ? null : value
}

function orEmpty(value: readonly string[] | false | undefined): readonly string[] | undefined {
  return value === false ? [] : value
}

/** The members as services take them. */
export function keyMembersOf(options: KeyMemberOptions) {
  const { permission, ip, expires, rateLimit, quota, description, metadata } = options
  return {
    permissions: orEmpty(permission),
    ipAllowlist: orEmpty(ip),
    expiresAt: orNull(expires),
    rateLimit: orNull(rateLimit),
    monthlyQuota: orNull(quota),
    credits: creditsOf(options),
    description: orNull(description),
    metadata: orNull(metadata),
  }
}
