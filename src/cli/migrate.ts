/** `machine-auth migrate`: brings the database up to this version. */
import type { Command } from 'commander'
import { listPendingMigrations, openStorage } from '../storage/open.ts'
import { withExamples } from './help.ts'
import { databaseOf, readGlobals, warn, warningsOf } from './settings.ts'
import { type Cli, outputOf } from './with-core.ts'

async function migrate(cli: Cli, { dryRun = false }: { readonly dryRun?: boolean }, self: Command): Promise<void> {
  const output = outputOf(cli, self)
  const globals = readGlobals(self)
  for (const warning of warningsOf(globals)) warn(cli.io, warning)
  const { database, postgres } = databaseOf(cli.io, globals)
  const pending = await listPendingMigrations(database, { postgres })
  if (!dryRun) {
    const { storage, ready } = openStorage(database, { migrate: 'auto', clock: cli.io.clock, postgres })
    try {
      await ready
    } finally {
      await storage.close()
    }
  }
  if (output.isJson) return output.json({ pending: dryRun ? pending : [], applied: dryRun ? [] : pending })
  for (const name of pending) output.line(`${dryRun ? 'pending' : 'applied'}  ${name}`)
  if (pending.length === 0) output.line('Nothing to migrate.')
}

export function addMigrateCommand(program: Command, cli: Cli): void {
  const command = program
    .command('migrate')
    .description('apply pending migrations to the database')
    .option('--dry-run', 'only name them')
    .action((options: { readonly dryRun?: boolean }, self: Command) => migrate(cli, options, self))
  withExamples(command, 'migrate --dry-run', 'migrate --database sqlite:./data/auth.db')
}
