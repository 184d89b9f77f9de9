/** Counts what limits decide. */
import { BLOCKING_LIMITS, COUNTING_LIMITS, type LimitMeter, type LimitName } from './meter.ts'
import { zeros } from './zeros.ts'

const LIMITS = [...COUNTING_LIMITS, ...BLOCKING_LIMITS] as const

export class LimitCounts implements LimitMeter {
  readonly allowed = zeros(LIMITS)
  readonly refused = zeros(LIMITS)

  decision(limit: LimitName, isAllowed: boolean): void {
    if (isAllowed) this.allowed[limit] += 1
    else this.refused[limit] += 1
  }
}
