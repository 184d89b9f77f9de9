/** Tells a person that something long is going on. */
import type { CliIo } from './io.ts'

/** Below it nobody notices. */
const LONG = 10_000

/** A line on standard error that is written over; none where nobody looks at it. @param what is counted */
export function createProgress({ stderr, isTTY }: Pick<CliIo, 'stderr' | 'isTTY'>, what: string) {
  let isShown = false
  return {
    show(done: number, all: number): void {
      if (!isTTY || all < LONG) return
      isShown = true
      stderr.write(`\r${done.toLocaleString('en')} of ${all.toLocaleString('en')} ${what}`)
    },
    /** The same of what nobody knows the whole of. */
    count(done: number): void {
      if (!isTTY || done < LONG) return
      isShown = true
      stderr.write(`\r${done.toLocaleString('en')} ${what}`)
    },
    /** Takes the line away. */
    end(): void {
      if (isShown) stderr.write('\r\u001b[K')
    },
  }
}
