/** What the command line touches of its surroundings, so that tests can be them. */
import type { Readable } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import type { EnvironmentVariables } from '../../options/environment.ts'

/** Standard input; `setRawMode` exists where it is a terminal. */
export type InputStream = Readable & { setRawMode?(isRaw: boolean): unknown }

export interface OutputStream {
  write(text: string): unknown
}

export interface CliIo {
  readonly stdin: InputStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: EnvironmentVariables
  /** Where the config file, `.env` and `.machine-auth/` are. */
  readonly cwd: string
  /** Whether a person is there to be asked. */
  readonly isTTY: boolean
  /** Width of the terminal that output goes to; null where it goes to a file or another program. */
  readonly columns: number | null
  readonly clock: Clock
  /** Resolves when the process is asked to stop. */
  untilStopped(): Promise<void>
}

/** The surroundings of this process. */
export function createProcessIo(): CliIo {
  const { stdin, stdout, stderr } = process
  return {
    stdin,
    stdout,
    stderr,
    env: process.env,
    cwd: process.cwd(),
    // Questions go to standard error, so that answers can be piped.
    isTTY: stdin.isTTY === true && stderr.isTTY === true,
    columns: stdout.isTTY === true ? stdout.columns : null,
    clock: Date.now,
    untilStopped: () =>
      new Promise((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
      }),
  }
}
