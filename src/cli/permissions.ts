/** `machine-auth permissions`: the names that keys, roles and guards may use. */
import { type Command, Option } from 'commander'
import type { PermissionFilter } from '../accounts/permissions.ts'
import type { PermissionEntry } from '../authorization/registry.ts'
import { withExamples } from './help.ts'
import { groupByModule, toMarkdown } from './permissions-docs.ts'
import type { Column } from './terminal/table.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

const COLUMNS: readonly Column<PermissionEntry>[] = [
  { title: 'NAME', text: ({ name }) => name, isWhole: true },
  { title: 'LABEL', text: ({ label }) => label },
  { title: 'FROM', text: ({ source }) => source },
]

function addList(group: Command, cli: Cli): void {
  const command = group
    .command('list')
    .description('list the declared permissions')
    .option('--module <name>', 'only those of this module')
    .option('--query <text>', 'only those with this text in their name or label')
    .action(({ module, query }: { readonly module?: string; readonly query?: string }, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const filter: PermissionFilter = { module, q: query }
        output.list({ items: core.permissions.list(filter), nextCursor: null }, COLUMNS)
      }),
    )
  withExamples(
    command,
    'permissions list',
    'permissions list --module machine_auth.keys',
    'permissions list --query view',
  )
}

function addDocs(group: Command, cli: Cli): void {
  const command = group
    .command('docs')
    .description('write the declared permissions as a page of documentation')
    .addOption(new Option('--format <format>').choices(['md', 'json']).default('md'))
    .action(({ format }: { readonly format: 'md' | 'json' }, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const entries = core.permissions.list()
        if (format === 'json' || output.isJson) output.json({ modules: groupByModule(entries) })
        else output.line(toMarkdown(entries))
      }),
    )
  withExamples(command, 'permissions docs > permissions.md', 'permissions docs --format json')
}

/** What `--dry-run` ends with when there is something to do, so that continuous integration can demand that there is not. */
const WOULD_CHANGE = 2

async function sync(cli: Cli, { core, output }: Session, dryRun: boolean): Promise<void> {
  const result = await core.permissions.sync({ dryRun }, CLI_ACTOR)
  const { created, changed, removed } = result
  const hasChanges = created.length + changed.length + removed.length > 0
  if (dryRun && hasChanges) cli.exitCode = WOULD_CHANGE
  if (output.isJson) return output.json(result)
  for (const { name } of created) output.line(`+ created ${name}`)
  for (const { name, from, to } of changed) output.line(`~ changed label ${name}: ${from} → ${to}`)
  for (const { name } of removed) output.line(`- removed ${name}`)
  if (!hasChanges) output.line('Nothing to change.')
}

function addSync(group: Command, cli: Cli): void {
  const command = group
    .command('sync')
    .description('bring the table of permissions to what the configuration declares')
    .option('--dry-run', 'only say what would change; exit 2 when something would')
    .action(({ dryRun }: { readonly dryRun?: true }, self: Command) =>
      withCore(cli, self, (session) => sync(cli, session, dryRun === true)),
    )
  withExamples(command, 'permissions sync --dry-run', 'permissions sync')
}

export function addPermissionCommands(program: Command, cli: Cli): void {
  const group = program.command('permissions').description('the names that keys, roles and guards may use')
  addList(group, cli)
  addDocs(group, cli)
  addSync(group, cli)
}
