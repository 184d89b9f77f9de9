/** What the subjects of a limit take in memory; for a process of its own. */
import { Limiter } from '../../src/limits/limiter.ts'
import { createRate, type Rate } from '../../src/limits/rate.ts'
import type { Goal } from '../report.ts'
import { footprint, type Weight } from './principals.ts'

const MINUTE = 60_000
const START = 1_700_000_000_000
const CONSTANT = { atMost: 150 } as const

export const SUBJECT_RATES: Readonly<Record<string, { readonly rate: Rate; readonly goal?: Goal }>> = {
  'sliding-window 60/min': { rate: createRate({ limit: 60, window: MINUTE }) },
  'sliding-window 10,000/min': { rate: createRate({ limit: 10_000, window: MINUTE }) },
  'sliding-window-counter 60/min': {
    rate: createRate({ limit: 60, window: MINUTE, strategy: 'sliding-window-counter' }),
    goal: CONSTANT,
  },
  'token-bucket 60/min': {
    rate: createRate({ limit: 60, window: MINUTE, strategy: 'token-bucket' }),
    goal: CONSTANT,
  },
}

/** Flat, where a template would be a rope of more bytes. */
function addressOf(index: number): string {
  return Buffer.from(`ip:203.${(index >>> 16) & 255}.${(index >>> 8) & 255}.${index & 255}`).toString('latin1')
}

/** Has so many subjects hit once; answers what each leaves behind, its name and its place in the map included. */
export function weighSubjects(name: string, count: number): Weight {
  const rate = SUBJECT_RATES[name]?.rate
  if (rate === undefined) throw new TypeError(`${name} is no rate that is weighed`)
  const limiter = new Limiter(rate, count)
  const before = footprint()
  for (let index = 0; index < count; index += 1) limiter.hit(addressOf(index), START)
  const after = footprint()
  if (limiter.size !== count) throw new Error(`${count - limiter.size} subjects were forgotten while they were weighed`)
  return { heap: (after.heap - before.heap) / count, resident: (after.resident - before.resident) / count }
}
