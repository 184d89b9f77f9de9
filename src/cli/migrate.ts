/** `machine-auth migrate`: brings the database up to this version. */
import type { Command } from 'commander'
import type { MigrateOptions } from './actions/migrate.ts'
import { withExamples } from './help.ts'
import type { Cli } from './with-core.ts'

export function addMigrateCommand(program: Command, cli: Cli): void {
  const command = program
    .command('migrate')
    .description('apply pending migrations to the database')
    .option('--dry-run', 'only name them')
    .action(async (options: MigrateOptions, self: Command) => {
      const { migrate } = await import('./actions/migrate.ts')
      await migrate(cli, options, self)
    })
  withExamples(command, 'migrate --dry-run', 'migrate --database sqlite:./data/auth.db')
}
