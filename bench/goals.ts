/** What the figures are to be: one table for all benches. */
import type { Goal } from './report.ts'

export interface Aim {
  readonly group: string
  /** The `name` of the result. */
  readonly name: string
  readonly goal: Goal
}

export const AIMS = [
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
  { group: 'memory', name: '100,000 cached principals', goal: { atMost: 60 } },
  { group: 'memory', name: 'a limiter subject of a million, constant memory', goal: { atMost: 150 } },
  { group: 'start-up', name: 'import, over elysia alone', goal: { atMost: 25 } },
  { group: 'cores', name: 'two workers, to one', goal: { atLeast: 1.8 } },
  { group: 'types', name: '200 guarded routes, tsc', goal: { atMost: 2 } },
] as const satisfies readonly Aim[]

/** The goal of a figure, or undefined. */
export function goalOf(group: string, name: string): Goal | undefined {
  const aims: readonly Aim[] = AIMS
  return aims.find((aim) => aim.group === group && aim.name === name)?.goal
}
