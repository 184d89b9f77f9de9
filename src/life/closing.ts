/** Ends what a core runs, in order, and never waits for ever: a database that is away must not keep a process. */
import { within } from '../lib/within.ts'

/**
 * What is done at once, by what it does: for the warning when it fails. Each step is told how many ms it has, so that it
 * can end by itself and tell what it leaves.
 */
export type ClosingStage = Readonly<Record<string, (patience: number) => unknown>>

export interface ClosingStages {
  /** One after the other. */
  readonly stages: readonly ClosingStage[]
  /** Done in the end, whatever the time. */
  readonly last: ClosingStage
}

/** ms that the last stage has, even when the others have used up the time. */
const LAST = 300
/** ms by which a step is told less than it is waited for. */
const MARGIN = 100

/**
 * Runs every step of every stage, also after one failed or the time is over: then it is not waited for.
 *
 * @param patience ms for all of them together
 * @param warn hears of what failed, and of what was not finished
 */
export async function closeInStages(
  { stages, last }: ClosingStages,
  patience: number,
  warn: (message: string) => void,
): Promise<void> {
  const deadline = performance.now() + patience
  for (const stage of stages) await runStage(stage, deadline - performance.now(), warn)
  await runStage(last, LAST, warn)
}

async function runStage(stage: ClosingStage, patience: number, warn: (message: string) => void): Promise<void> {
  await Promise.all(
    Object.entries(stage).map(async ([name, step]) => {
      try {
        const isDone = await within(patience, Promise.try(step, Math.max(0, patience - MARGIN)))
        if (!isDone) warn(`${name} took too long, and was not waited for`)
      } catch (failure) {
        warn(`${name} failed: ${failure instanceof Error ? failure.message : String(failure)}`)
      }
    }),
  )
}
