/** Asks Redis about a list of claims. */
import type { Reading } from '../limiter.ts'
import type { Rate } from '../rate.ts'
import type { Link } from './link.ts'
import decide from './lua/decide.lua' with { type: 'text' }
import exactLog from './lua/exact-log.lua' with { type: 'text' }
import prelude from './lua/prelude.lua' with { type: 'text' }
import slidingWindowCounter from './lua/sliding-window-counter.lua' with { type: 'text' }
import subWindows from './lua/sub-windows.lua' with { type: 'text' }
import tokenBucket from './lua/token-bucket.lua' with { type: 'text' }
import { Script } from './script.ts'
import { letterOf } from './strategy.ts'

const SCRIPT = new Script(prelude, exactLog, subWindows, slidingWindowCounter, tokenBucket, decide)

/** A claim where Redis counts it. */
export interface KeyedClaim {
  readonly key: string
  readonly rate: Rate
  readonly cost: number
}

/** Numbers that are answered for each claim. */
const NUMBERS = 4

/** Integers of Redis know no Infinity. */
function timeOf(answered: number): number {
  return answered === -1 ? Number.POSITIVE_INFINITY : answered
}

function readingOf(rate: Rate, answer: readonly unknown[]): Reading {
  const [isAllowed, remaining, reset, retry] = answer.map(Number) as [number, number, number, number]
  return { rate, isAllowed: isAllowed === 1, remaining, resetAfter: timeOf(reset), retryAfter: timeOf(retry) }
}

/**
 * Decides in one command, as `hitAll` of one process does.
 *
 * @param mode `read` takes nothing
 * @param time epoch ms, instead of the server's, for tests
 * @throws what the link or the script is rejected with; Error when the answer is none
 */
export async function decideInRedis(
  link: Link,
  mode: 'take' | 'read',
  claims: readonly KeyedClaim[],
  time?: number,
): Promise<readonly Reading[]> {
  const keys: string[] = []
  const args = [mode, time === undefined ? '' : String(time)]
  for (const { key, rate, cost } of claims) {
    keys.push(key)
    args.push(letterOf(rate), String(cost), String(rate.limit), String(rate.window), String(rate.burst))
  }
  const answer = await SCRIPT.run(link, keys, args)
  if (!Array.isArray(answer) || answer.length !== NUMBERS * claims.length) {
    throw new Error('Redis answered to a decision what is none')
  }
  return claims.map(({ rate }, index) => readingOf(rate, answer.slice(NUMBERS * index, NUMBERS * (index + 1))))
}
