/** What those may get wrong together whom a full limiter cannot tell apart. */
import { createRate, type Rate } from './rate.ts'

/**
 * As much as all whom it remembers: who fills it locks nobody else out by that, and gains no more than as many guesses
 * again.
 *
 * @param rate of one subject
 * @param capacity how many subjects are remembered
 */
export function strangersRate({ limit, window }: Rate, capacity: number): Rate {
  return createRate({ limit: Math.min(limit * capacity, 1_000_000_000), window })
}
