/** What `machine-auth migrate` does. */
import type { Command } from 'commander'
import { listPendingMigrations, openStorage } from '../../storage/open.ts'
import { databaseOf } from '../given-options.ts'
import { readGlobals, warn, warningsOf } from '../settings.ts'
import { type Cli, outputOf } from '../with-core.ts'

export interface MigrateOptions {
  readonly dryRun?: boolean
}

export async function migrate(cli: Cli, { dryRun = false }: MigrateOptions, self: Command): Promise<void> {
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
