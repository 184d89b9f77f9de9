/** Tells a person that figures are not all there is. */
import type { Output } from './terminal/output.ts'

/** @param figures what `core.usage` answered */
export function noteIncomplete(output: Pick<Output, 'note'>, { complete }: { readonly complete: boolean }): void {
  if (!complete) {
    output.note('Not all that was counted could be written to the database just now: requests of late may be missing.')
  }
}
