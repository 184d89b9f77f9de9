/** `machine-auth audit`: who did what. */
import type { Command } from 'commander'
import type { AuditView } from '../recording/audit/reader.ts'
import { findOwner } from './find/owner.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { type PageOptions, paged, parseTime, parseWhole } from './input/values.ts'
import { createProgress } from './terminal/progress.ts'
import type { Column } from './terminal/table.ts'
import { toMoment } from './terminal/text.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

const COLUMNS: readonly Column<AuditView>[] = [
  { title: 'AT (UTC)', text: ({ at }) => toMoment(at), isWhole: true },
  { title: 'ACTION', text: ({ action }) => action, isWhole: true },
  { title: 'ACTOR', text: ({ actor }) => actor, isWhole: true },
  { title: 'SUBJECT', text: ({ subject }) => subject, isWhole: true },
  { title: 'DETAILS', text: ({ details }) => JSON.stringify(details) },
]

interface ListOptions extends PageOptions {
  readonly action?: string
  readonly actor?: string
  readonly subject?: string
  readonly organization?: string
  readonly from?: string
  readonly to?: string
}

function addList(group: Command, cli: Cli): void {
  const command = paged(group.command('list').description('list events, newest first'))
    .option('--action <name>', 'only this one, such as key.revoked')
    .option('--actor <id>', 'only what this one did; cli for the command line')
    .option('--subject <id>', 'only what was done to this')
    .option('--organization <name-or-id>', 'only events of this organization')
    .option('--from <time>', 'from this RFC 3339 time on', parseTime)
    .option('--to <time>', 'before this RFC 3339 time', parseTime)
    .action(({ organization, limit, cursor, ...query }: ListOptions, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { organizationId } = await findOwner(core, { organization })
        output.list(await core.audit.list({ ...query, organizationId }, { limit, cursor }, CLI_ACTOR), COLUMNS)
      }),
    )
  withExamples(command, 'audit list', 'audit list --action key.revoked --from 2030-01-01T00:00:00Z --json')
}

interface VerifyOptions {
  readonly atLeast?: number
  readonly unverifiable?: number
}

function addVerify(group: Command, cli: Cli): void {
  const command = group
    .command('verify')
    .description('go through the whole log for events that were changed, taken out or put in; exit 1 when one is found')
    .option('--at-least <n>', 'the place the log must have reached, noted from an earlier head', parseWhole)
    .option('--unverifiable <n>', 'events of a lost secret that are accepted (default 0)', parseWhole)
    .action((options: VerifyOptions, self: Command) =>
      withCore(cli, self, async ({ core, io, output }) => {
        const progress = createProgress(io, 'events')
        const verification = await core.audit.verify({ ...options, onProgress: progress.show }, CLI_ACTOR)
        progress.end()
        const { ok, problems, problemCount, checked, unverifiable, head } = verification
        if (!ok) cli.exitCode = 1
        output.done(
          verification,
          `${checked} events, ${unverifiable} unverifiable, ${problemCount} problems, the newest is ${head?.sequence ?? 'unknown'}`,
        )
        if (!output.isJson) for (const { kind, detail } of problems) output.line(`  ${kind}: ${detail}`)
      }),
    )
  withExamples(command, 'audit verify', 'audit verify --at-least 1200 --json')
}

async function adopt({ core, io, output }: Session, options: Confirmation): Promise<void> {
  await requireConfirmation(io, options, 'The log goes on from what there is, whatever became of it: verify it first.')
  const adoption = await core.audit.adopt(CLI_ACTOR)
  const { adopted, sequence, unverifiable } = adoption
  output.done(
    adoption,
    adopted
      ? `The log goes on after ${sequence}; verify it with --unverifiable ${unverifiable} from now on.`
      : 'There is nothing to adopt: all of the log is of secrets that are given.',
  )
}

function addAdopt(group: Command, cli: Cli): void {
  const command = confirmed(
    group.command('adopt').description('go on with a log whose secret is lost, or whose head was changed or deleted'),
  ).action((options: Confirmation, self: Command) => withCore(cli, self, (session) => adopt(session, options)))
  withExamples(command, 'audit adopt', 'audit adopt --yes --json')
}

export function addAuditCommands(program: Command, cli: Cli): void {
  const group = program.command('audit').description('the audit log: who did what')
  addList(group, cli)
  addVerify(group, cli)
  addAdopt(group, cli)
}
