/** One run of a command against the database. */
import type { Command } from 'commander'
import { type Actor, SYSTEM } from '../authorization/actor.ts'
import type { AnyMachineAuth } from '../core.ts'
import { openCore, readGlobals } from './settings.ts'
import type { CliIo } from './terminal/io.ts'
import { Output } from './terminal/output.ts'

/** What commands share: their surroundings, and the exit code they end with. */
export interface Cli {
  readonly io: CliIo
  exitCode: number
}

export interface Session {
  readonly core: AnyMachineAuth
  readonly io: CliIo
  readonly output: Output
}

/** Who the audit log names. Whoever can run commands holds the database anyway. */
export const CLI_ACTOR: Actor = Object.freeze({ ...SYSTEM, id: 'cli' })

export function outputOf({ io }: Cli, command: Command): Output {
  return new Output(io, readGlobals(command).json === true)
}

/** Runs something with the core open, and closes it whatever comes of it. */
export async function withCore(cli: Cli, command: Command, run: (session: Session) => Promise<void>): Promise<void> {
  const globals = readGlobals(command)
  // Here and not above, as the core: help and what needs neither are answered without loading them.
  const { requireKnownSecret } = await import('./known-secret.ts')
  await requireKnownSecret(cli.io, globals)
  const core = openCore(cli.io, globals)
  try {
    await core.ready
    await run({ core, io: cli.io, output: outputOf(cli, command) })
  } finally {
    await core.close()
  }
}
