/** `machine-auth init`: config file, secret and database, and how to go on. */
import type { Command } from 'commander'
import type { InitOptions } from './actions/init.ts'
import { withExamples } from './help.ts'
import type { Cli } from './with-core.ts'

export function addInitCommand(program: Command, cli: Cli): void {
  const command = program
    .command('init')
    .description('make config file, secret and database; what exists is kept')
    .option(
      '--admin <email>',
      'make an administrator; the password comes from a prompt, standard input or MACHINE_AUTH_PASSWORD',
    )
    .option('--password-stdin', 'read the password from standard input')
    .action(async (options: InitOptions, self: Command) => {
      const { init } = await import('./actions/init.ts')
      await init(cli, options, self)
    })
  withExamples(
    command,
    'init',
    'init --admin alice@example.com',
    'init --admin alice@example.com --password-stdin < password.txt',
  )
}
