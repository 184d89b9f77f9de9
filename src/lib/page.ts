import { invalidField } from './field-errors.ts'

export interface PageInput {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100

/**
 * Fills in what a caller left out of a page request.
 *
 * @throws MachineAuthError `validation_failed` for a limit outside 1 to 100
 */
export function resolvePage({ cursor, limit = DEFAULT_LIMIT }: PageInput): {
  readonly cursor: string | undefined
  readonly limit: number
} {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalidField('limit', `must be a whole number from 1 to ${MAX_LIMIT}`)
  }
  return { cursor, limit }
}
