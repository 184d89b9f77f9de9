/** A refresh token that nobody here can verify. */
import { MachineAuthError } from '../errors.ts'

/**
 * Of a family whose secret is not given: answered as a wrong one is, but not held against whoever presents it, who may
 * be right.
 */
export class UnverifiableTokenError extends MachineAuthError {
  constructor() {
    super('token_invalid')
  }
}
