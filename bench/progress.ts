/** The line that says what is being measured, how far it is and how long it will take. */

const WIDTH = 110

/** `4 min`, `50 s`: as exact as a guess may sound. */
export function formatDuration(seconds: number): string {
  if (seconds >= 90) return `${Math.round(seconds / 60)} min`
  return `${Math.max(0, Math.ceil(seconds / 10) * 10)} s`
}

/**
 * How long it will take, s.
 *
 * @param expected of what is being measured and of what comes after it, s
 * @param elapsed of what is being measured, s
 */
export function remaining([current = 0, ...later]: readonly number[], elapsed: number): number {
  return Math.max(0, current - elapsed) + later.reduce((sum, seconds) => sum + seconds, 0)
}

export interface Progress {
  show(text: string): void
  clear(): void
}

/** On a terminal one line that changes; elsewhere a line now and then. */
export function createProgress(stream: NodeJS.WriteStream, clock: () => number): Progress {
  let last = Number.NEGATIVE_INFINITY
  return {
    show(text) {
      if (stream.isTTY) {
        stream.write(`\r${text.slice(0, WIDTH).padEnd(WIDTH)}`)
      } else if (clock() - last >= 10_000) {
        last = clock()
        stream.write(`${text}\n`)
      }
    },
    clear() {
      if (stream.isTTY) stream.write(`\r${' '.repeat(WIDTH)}\r`)
    },
  }
}
