/** `machine-auth key lockdown`: revokes many keys at once. */
import type { Command } from 'commander'
import { findOwner, type OwnerOptions } from './find/owner.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { parseTime } from './input/values.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

interface LockdownOptions extends Confirmation, OwnerOptions {
  /** RFC 3339. */
  readonly createdBefore?: string
  readonly reason?: string
  readonly dryRun?: true
}

function countOf({ count }: { readonly count: number }): string {
  return count === 1 ? '1 key' : `${count} keys`
}

async function lockDown({ core, io, output }: Session, options: LockdownOptions): Promise<void> {
  const { createdBefore, reason, dryRun } = options
  const selection = { ...(await findOwner(core, options)), createdBefore, reason }
  const planned = await core.keys.lockdown({ ...selection, dryRun: true }, CLI_ACTOR)
  if (dryRun) return output.done(planned, `${countOf(planned)} would be revoked.`)
  await requireConfirmation(io, options, `${countOf(planned)} will be refused for good.`)
  const done = await core.keys.lockdown(selection, CLI_ACTOR)
  output.done(done, `${countOf(done)} ${done.count === 1 ? 'is' : 'are'} revoked.`)
}

export function addKeyLockdown(group: Command, cli: Cli): void {
  const command = confirmed(
    group
      .command('lockdown')
      .description('revoke all keys that the given conditions hold for, when something has leaked')
      .option('--organization <name-or-id>', 'those of this organization')
      .option('--user <id-or-email>', 'those of this user')
      .option('--created-before <time>', 'those made before this RFC 3339 time', parseTime)
      .option('--reason <text>', 'why, for the audit log')
      .option('--dry-run', 'only count them'),
  ).action((options: LockdownOptions, self: Command) => withCore(cli, self, (session) => lockDown(session, options)))
  withExamples(
    command,
    'key lockdown --organization Acme --dry-run',
    'key lockdown --created-before 2030-01-31T12:00:00Z --reason "Leaked backup" --yes',
  )
}
