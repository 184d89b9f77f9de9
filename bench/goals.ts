/**
 * What the figures are to be: one table for all benches. A goal that is not here is one of a bench itself, and said to be
 * its own.
 */
import type { Goal, Result } from './report.ts'

export interface Aim {
  readonly group: string
  /** The `name` of the result. */
  readonly name: string
  readonly goal: Goal
  /** Default: a ratio. */
  readonly unit?: Result['unit']
}

export const AIMS: readonly Aim[] = [
  { group: 'guards', name: 'API key, limit and three headers, to bare', goal: { atLeast: 0.75 } },
  {
    group: 'guards',
    name: 'API key, limit and three headers, to the hand-written minimum',
    goal: { atLeast: 0.97 },
  },
  { group: 'guards', name: 'API key, limit and five headers, to bare', goal: { atLeast: 0.7 } },
  { group: 'guards', name: 'repeated JWT, to bare', goal: { atLeast: 0.88 } },
  { group: 'guards', name: 'session by cookie, to bare', goal: { atLeast: 0.74 } },
  { group: 'guards', name: 'refusal, no credential, to bare', goal: { atLeast: 0.8 } },
  { group: 'guards', name: 'refusal, wrong key, to bare', goal: { atLeast: 0.8 } },
  { group: 'guards', name: 'refusal, over the limit, to bare', goal: { atLeast: 0.8 } },
  { group: 'guards', name: 'everything on, to bare', goal: { atLeast: 0.65 } },
  { group: 'guards', name: 'p99 with a limit at the same load, to bare', goal: { atMost: 1.3 } },
  { group: 'tokens', name: 'first-seen EdDSA token, to jose alone', goal: { atMost: 1.05 } },
  { group: 'peers', name: 'ours with key and limit, to better-auth with limits', goal: { atLeast: 35 } },
  { group: 'peers', name: 'ours with a repeated JWT, to @elysiajs/jwt', goal: { atLeast: 3 } },
  { group: 'peers', name: 'ours with a first-seen JWT, to @elysiajs/jwt', goal: { atLeast: 1 } },
  { group: 'storage', name: 'cold key, to a prepared Drizzle select', goal: { atMost: 1.2 } },
  { group: 'storage', name: 'cold key of a million, to one of a hundred thousand', goal: { atMost: 1.3 } },
  // 60 MB for a hundred thousand.
  { group: 'memory', name: 'each API key', goal: { atMost: 600 }, unit: 'bytes' },
  { group: 'memory', name: 'each session', goal: { atMost: 600 }, unit: 'bytes' },
  { group: 'memory', name: 'each access token (JWT)', goal: { atMost: 600 }, unit: 'bytes' },
  { group: 'memory', name: 'each subject, sliding-window-counter 60/min', goal: { atMost: 150 }, unit: 'bytes' },
  { group: 'memory', name: 'each subject, token-bucket 60/min', goal: { atMost: 150 }, unit: 'bytes' },
  { group: 'start-up', name: 'import, over elysia alone', goal: { atMost: 25 }, unit: 'ms' },
  { group: 'cores', name: 'two workers, to one', goal: { atLeast: 1.8 } },
  { group: 'types', name: '200 guarded routes, tsc', goal: { atMost: 2 }, unit: 's' },
]

/** The goal of a figure, or undefined. */
export function goalOf(group: string, name: string): Goal | undefined {
  return AIMS.find((aim) => aim.group === group && aim.name === name)?.goal
}
