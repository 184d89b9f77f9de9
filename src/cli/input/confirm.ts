/** The question before what cannot be undone. */
import type { Command } from 'commander'
import { CommandError, UsageError } from '../errors.ts'
import type { CliIo } from '../terminal/io.ts'
import { ask } from '../terminal/prompt.ts'

/** Whether `--yes` was given. */
export interface Confirmation {
  readonly yes?: true
}

/** Gives a command the option `--yes`. */
export function confirmed(command: Command): Command {
  return command.option('--yes', 'do not ask')
}

/**
 * Asks unless `--yes` was given.
 *
 * @param consequence a sentence on what will happen
 * @throws UsageError where nobody can be asked
 * @throws CommandError when the answer is not yes
 */
export async function requireConfirmation(io: CliIo, { yes }: Confirmation, consequence: string): Promise<void> {
  if (yes) return
  if (!io.isTTY) throw new UsageError(`${consequence} Nobody is there to be asked: add --yes.`)
  const answer = await ask(io, `${consequence} Go on? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing was changed.')
}
