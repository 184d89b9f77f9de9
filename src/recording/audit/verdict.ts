/** Says of a log that was gone through whether it is as it should be. */
import { toTimestamp } from '../../lib/timestamp.ts'
import type { AuditMarkView, AuditProblem, AuditVerification, CheckedMark, Findings } from './report.ts'

/** Problems that are told one by one. */
export const MOST_PROBLEMS = 100

/** Holds what was found to what was expected. */
export function judge(
  { checked, head, checkpoint, problems, problemCount, ...unknown }: Findings,
  { atLeast, unverifiable: accepted }: { readonly atLeast: number; readonly unverifiable: number },
): AuditVerification {
  const { unverifiable, firstUnverifiable } = unknown
  const unexpected: AuditProblem[] = []
  const reached = head?.check === 'right' ? head.mark.sequence : 0
  if (reached < atLeast) {
    const detail = `The log ends at ${reached}, as far as can be trusted, and has been at ${atLeast}: it was cut off, or an older copy was put back.`
    unexpected.push({ kind: 'head', sequence: reached, detail })
  }
  if (unverifiable !== accepted) {
    const place = firstUnverifiable?.sequence ?? null
    unexpected.push({
      kind: 'unverifiable',
      ...(place !== null && { sequence: place }),
      ...(firstUnverifiable !== null && { id: firstUnverifiable.id }),
      detail: `${unverifiable} events name a secret that is not given, and ${accepted} were expected: give that secret, too, or say how many you accept.`,
    })
  }
  const count = problemCount + unexpected.length
  return {
    ok: count === 0,
    checked,
    unverifiable,
    head: toMarkView(head),
    checkpoint: toMarkView(checkpoint),
    // These first: they must not be lost behind a hundred others.
    problems: [...unexpected, ...problems].slice(0, MOST_PROBLEMS),
    problemCount: count,
  }
}

function toMarkView(checked: CheckedMark | null): AuditMarkView | null {
  // What somebody else wrote there is no moment, perhaps.
  if (checked?.check !== 'right') return null
  return { sequence: checked.mark.sequence, at: toTimestamp(checked.mark.at) }
}
