/** Runs one command line. */
import { describeFailure, formatFailure } from './errors.ts'
import { createProgram } from './program.ts'
import type { CliIo } from './terminal/io.ts'
import type { Cli } from './with-core.ts'

/**
 * Runs a command.
 *
 * @param argv without the names of the runtime and the program
 * @returns the exit code: 0 done, 1 failed, 2 called in a wrong way
 * @example await runCli(['key', 'list', '--json'], createProcessIo())
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const cli: Cli = { io, exitCode: 0 }
  try {
    await createProgram(cli).parseAsync(argv, { from: 'user' })
    return cli.exitCode
  } catch (thrown) {
    const failure = describeFailure(thrown)
    io.stderr.write(formatFailure(failure))
    return failure.exitCode
  }
}
