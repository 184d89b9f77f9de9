/** Counts requests and what became of them. On the path of each request: nothing is made, nothing is looked up. */
import { ERROR_CODES, type ErrorCode } from '../../errors.ts'
import { Distribution } from './distribution.ts'
import {
  CREDENTIAL_NAMES,
  type CredentialName,
  REQUEST_OUTCOMES,
  type RequestMeter,
  type RequestOutcome,
} from './meter.ts'
import { zeros } from './zeros.ts'

/** ms */
const BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

export class RequestCounts implements RequestMeter {
  readonly outcomes = zeros(REQUEST_OUTCOMES)
  readonly denials = zeros(ERROR_CODES)
  readonly accepted = zeros(CREDENTIAL_NAMES)
  readonly refused = zeros(CREDENTIAL_NAMES)
  /** Requests that presented nothing. */
  missing = 0
  readonly durations = new Distribution(BOUNDS)

  request(outcome: RequestOutcome, elapsed: number): void {
    this.outcomes[outcome] += 1
    this.durations.add(elapsed)
  }

  denial(code: ErrorCode): void {
    this.denials[code] += 1
  }

  authentication(kind: CredentialName | 'none', isAccepted: boolean): void {
    if (kind === 'none') this.missing += 1
    else if (isAccepted) this.accepted[kind] += 1
    else this.refused[kind] += 1
  }
}
