/** What is done from time to time: forgetting what has ended, and telling of what ends soon. */

/** ms between rounds. */
const INTERVAL = 3_600_000
/** ms after the start: some processes are started anew every day, and one that only runs a command ends before. */
const FIRST = 60_000

/** A task by what it does, for the warning when it fails. */
export type UpkeepTasks = Readonly<Record<string, (now: number) => Promise<unknown>>>

/**
 * Begins the rounds; one task's failure is no other's.
 *
 * @returns ends them, and waits for one under way
 */
export function startUpkeep(
  tasks: UpkeepTasks,
  clock: () => number,
  warn: (message: string) => void,
): () => Promise<void> {
  let isStopped = false
  let round: Promise<void> = Promise.resolve()
  let timer = setTimeout(run, FIRST).unref()

  async function runTasks(): Promise<void> {
    for (const [name, task] of Object.entries(tasks)) {
      if (isStopped) return
      await task(clock()).catch(() => warn(`${name} failed, and is tried again in an hour`))
    }
  }

  function run(): void {
    round = runTasks()
    timer = setTimeout(run, INTERVAL).unref()
  }

  return async () => {
    isStopped = true
    clearTimeout(timer)
    await round
  }
}
