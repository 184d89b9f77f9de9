/** `machine-auth purge`: deletes now what is older than it is kept. */
import type { Command } from 'commander'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { formatCount } from './terminal/figures.ts'
import { createProgress } from './terminal/progress.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

async function purge({ core, io, output }: Session, options: Confirmation): Promise<void> {
  await requireConfirmation(io, options, 'What is older than the configuration keeps it will be deleted for good.')
  const progress = createProgress(io, 'counts')
  const usage = await core.usage.purge({ onProgress: progress.count }, CLI_ACTOR)
  progress.end()
  const logs = await core.logs.purge(CLI_ACTOR)
  const audit = await core.audit.sweep(io.clock())
  output.done(
    { usage, logs, audit },
    `Deleted: ${formatCount(usage)} counts of requests, ${formatCount(logs)} entries of the request log, ${formatCount(audit)} events of the audit log.`,
  )
}

export function addPurgeCommand(program: Command, cli: Cli): void {
  const command = confirmed(
    program
      .command('purge')
      .description('delete now what is older than it is kept; a running server does so every hour'),
  ).action((options: Confirmation, self: Command) => withCore(cli, self, (session) => purge(session, options)))
  withExamples(command, 'purge --yes')
}
