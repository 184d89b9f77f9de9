/** `machine-auth role`: roles of the configuration, and stored ones. */
import type { Command } from 'commander'
import type { RoleView } from '../accounts/views.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { collect } from './input/values.ts'
import type { Column } from './terminal/table.ts'
import { formatValue } from './terminal/text.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

const COLUMNS: readonly Column<RoleView>[] = [
  { title: 'NAME', text: ({ name }) => name, isWhole: true },
  { title: 'PERMISSIONS', text: ({ permissions }) => formatValue(permissions) },
  { title: 'INHERITS', text: ({ inherits }) => formatValue(inherits) },
  { title: 'FROM', text: ({ source }) => source },
]

function addReading(group: Command, cli: Cli): void {
  const list = group
    .command('list')
    .description('list roles, those of the configuration first')
    .action((_: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        output.list({ items: await core.roles.list(CLI_ACTOR), nextCursor: null }, COLUMNS)
      }),
    )
  withExamples(list, 'role list')
  const show = group
    .command('show')
    .description('show a role')
    .argument('<name>')
    .action((name: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => output.show(await core.roles.find(name, CLI_ACTOR))),
    )
  withExamples(show, 'role show auditor')
}

interface SetOptions {
  readonly permission?: readonly string[]
  readonly inherits?: readonly string[]
}

function addWriting(group: Command, cli: Cli): void {
  const set = group
    .command('set')
    .description('create or replace a stored role; it counts for its users from the next request on')
    .argument('<name>')
    .option('--permission <name>', 'a permission or wildcard; may be repeated', collect)
    .option('--inherits <role>', 'a role whose permissions it grants too; may be repeated', collect)
    .action((name: string, { permission: permissions = [], inherits }: SetOptions, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        output.show(await core.roles.put(name, { permissions, inherits }, CLI_ACTOR))
      }),
    )
  withExamples(set, 'role set support --permission machine_auth.keys.view --permission machine_auth.blocks.view')
  const remove = confirmed(
    group
      .command('delete')
      .description('delete a stored role; who has it keeps its name, which grants nothing')
      .argument('<name>'),
  ).action((name: string, options: Confirmation, self: Command) =>
    withCore(cli, self, async ({ core, io, output }) => {
      const role = await core.roles.find(name, CLI_ACTOR)
      await requireConfirmation(
        io,
        options,
        `The role ${name} will be deleted, and whoever has it loses what it grants.`,
      )
      await core.roles.delete(name, CLI_ACTOR)
      output.done(role, `${name} is deleted.`)
    }),
  )
  withExamples(remove, 'role delete support', 'role delete support --yes')
}

export function addRoleCommands(program: Command, cli: Cli): void {
  const group = program.command('role').description('roles: names for sets of permissions')
  addReading(group, cli)
  addWriting(group, cli)
}
