/** `machine-auth secret`: new secrets. */
import type { Command } from 'commander'
import type { GenerateOptions } from './actions/generate-secret.ts'
import { withExamples } from './help.ts'
import { confirmed } from './input/confirm.ts'
import type { Cli } from './with-core.ts'

export function addSecretCommands(program: Command, cli: Cli): void {
  const group = program.command('secret').description('new secrets')
  const command = confirmed(
    group
      .command('generate')
      .description('make a secret of 256 bits: print it this once, or write it into a file of variables')
      .option('--write <file>', 'set MACHINE_AUTH_SECRET in this file instead of printing; all other lines stay')
      .option('--master-key', 'a master key: MACHINE_AUTH_MASTER_KEY')
      .option('--keep-old', 'where it is set already, make it a list: the new one first, then the old'),
  ).action(async (options: GenerateOptions, self: Command) => {
    const { generate } = await import('./actions/generate-secret.ts')
    await generate(cli, options, self)
  })
  withExamples(
    command,
    'secret generate',
    'secret generate --write .env',
    'secret generate --write .env --keep-old',
    'secret generate --master-key --write .env',
  )
}
