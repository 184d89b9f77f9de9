/** Moments that somebody asks about. */
import { invalidField } from './field-errors.ts'
import { parseTimestamp } from './timestamp.ts'

export const MOMENT_ACCEPTED = "must be a moment in RFC 3339, such as '2030-01-31T12:00:00Z'"

/**
 * Reads a moment that may be missing.
 *
 * @param path names it in the refusal
 * @returns epoch ms
 * @throws MachineAuthError `validation_failed` for one that is no RFC 3339
 */
export function readMoment(path: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const moment = parseTimestamp(text)
  if (moment === null) throw invalidField(path, MOMENT_ACCEPTED)
  return moment
}
