/** From when to when usage is read, in whole hours or days of UTC. */
import { invalidField } from '../../lib/field-errors.ts'
import { readMoment } from '../../lib/moment.ts'
import { DAY, HOUR } from '../../lib/time-units.ts'

export type UsageBucket = 'hour' | 'day'

export interface UsageInput {
  /** RFC 3339, inclusive; a day before `to`, or 30 by the day, unless given. */
  readonly from?: string | undefined
  /** RFC 3339, exclusive; now unless given. */
  readonly to?: string | undefined
  readonly bucket?: UsageBucket | undefined
}

/** A row of buckets; times are epoch ms. */
export interface UsageSpan {
  readonly bucket: UsageBucket
  /** Where the first bucket begins. */
  readonly from: number
  /** Where the last one ends. */
  readonly to: number
  /** ms */
  readonly size: number
}

interface BucketKind {
  readonly size: number
  /** How far back one looks unless asked otherwise. */
  readonly usual: number
  readonly most: number
}

const BUCKETS: Readonly<Record<UsageBucket, BucketKind>> = {
  hour: { size: HOUR, usual: DAY, most: 31 * DAY },
  day: { size: DAY, usual: 30 * DAY, most: 731 * DAY },
}

/** Where the period of a moment begins. */
export function startOf(moment: number, size: number): number {
  return Math.floor(moment / size) * size
}

/** Epoch ms of the years 0 and 10,000: what lies outside RFC 3339 cannot write. */
const FIRST_MOMENT = Date.parse('0000-01-01T00:00:00Z')
const END_OF_TIME = Date.UTC(10_000, 0, 1)

/**
 * Rounds what was asked for outward to whole buckets, the one that is under way included.
 *
 * @param now epoch ms
 * @throws MachineAuthError `validation_failed`
 */
export function resolveSpan({ from, to, bucket = 'hour' }: UsageInput, now: number): UsageSpan {
  if (!Object.hasOwn(BUCKETS, bucket)) throw invalidField('bucket', "must be 'hour' or 'day'")
  const { size, usual, most } = BUCKETS[bucket]
  const [first, last] = [readMoment('from', from), readMoment('to', to)]
  const end = last === undefined ? startOf(now, size) + size : Math.ceil(last / size) * size
  if (end - usual < FIRST_MOMENT || end >= END_OF_TIME)
    throw invalidField('to', 'must be well within the years 0 to 9999')
  if (first === undefined) return { bucket, from: end - usual, to: end, size }
  if (first >= (last ?? end)) throw invalidField('from', "must be before 'to', which is now unless given")
  if ((last ?? now) - first > most) {
    const advice = bucket === 'hour' ? ": bucket 'day' reaches further" : ''
    throw invalidField('from', `must be at most ${most / DAY} days before 'to', counted by the ${bucket}${advice}`)
  }
  return { bucket, from: startOf(first, size), to: end, size }
}

/** Where each bucket of a span begins, in order. */
export function startsOf({ from, to, size }: Pick<UsageSpan, 'from' | 'to' | 'size'>): readonly number[] {
  return Array.from({ length: (to - from) / size }, (_, index) => from + index * size)
}
