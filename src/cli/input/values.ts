/** Values of options, read from text. A wrong one is a usage error. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DURATION_ACCEPTED, isDuration, parseDuration } from '../../lib/duration.ts'
import { isPlainObject, type PlainObject } from '../../lib/plain-object.ts'
import { parseTimestamp, toTimestamp } from '../../lib/timestamp.ts'

/** For options that may be repeated. */
export function collect(value: string, previous: readonly string[] | false | undefined): readonly string[] {
  return [...(previous || []), value]
}

export function parseWhole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** `100/1m`: an amount and a duration. */
function parsePerTime(text: string): { readonly amount: number; readonly every: string } {
  const [, amount, every = ''] = /^(\d{1,15})\/(.+)$/.exec(text) ?? []
  if (amount === undefined || !isDuration(every)) throw new InvalidArgumentError('It must be such as 100/1m.')
  return { amount: Number(amount), every }
}

export function parseRate(text: string): { readonly limit: number; readonly window: string } {
  const { amount, every } = parsePerTime(text)
  return { limit: amount, window: every }
}

export const parseRefill = parsePerTime

export function parseDurationText(text: string): string {
  if (!isDuration(text)) throw new InvalidArgumentError(`It must be ${DURATION_ACCEPTED}.`)
  return text
}

export function parseObject(text: string): PlainObject {
  try {
    const value: unknown = JSON.parse(text)
    if (isPlainObject(value)) return value
  } catch {
    // As wrong as a list.
  }
  throw new InvalidArgumentError('It must be a JSON object.')
}

/** A moment, or a time from now: `2030-01-31T12:00:00Z`, `90d`. Answers RFC 3339. */
export function momentParser(clock: () => number): (text: string) => string {
  return (text) => {
    if (isDuration(text)) return toTimestamp(clock() + parseDuration(text))
    if (parseTimestamp(text) !== null) return text
    throw new InvalidArgumentError('It must be a duration such as 90d, or a time such as 2030-01-31T12:00:00Z.')
  }
}

export function parseTime(text: string): string {
  if (parseTimestamp(text) !== null) return text
  throw new InvalidArgumentError('It must be an RFC 3339 time such as 2030-01-31T12:00:00Z.')
}

/** Gives a command the options of lists. */
export function paged(command: Command): Command {
  return command
    .option('--limit <n>', 'at most so many, 1 to 100 (default 50)', parseWhole)
    .option('--cursor <text>', 'go on after a page, with the cursor it named')
}

export interface PageOptions {
  readonly limit?: number
  readonly cursor?: string
}

/** Gives a command the options of lists that can be sorted. */
export function sorted(command: Command, by: readonly string[]): Command {
  return command
    .addOption(new Option('--sort <by>', 'default createdAt').choices(by))
    .addOption(new Option('--order <order>', 'default desc').choices(['asc', 'desc']))
}

export interface OrderOptions<By extends string> {
  readonly sort?: By
  readonly order?: 'asc' | 'desc'
}
