/** `machine-auth user`: users kept here. */
import type { Command } from 'commander'
import type { UserView } from '../accounts/views.ts'
import { findOwner } from './find/owner.ts'
import { findUser } from './find/user.ts'
import { WHICH_USER } from './find/which.ts'
import { withExamples } from './help.ts'
import { type OrderOptions, type PageOptions, paged, sorted } from './input/values.ts'
import type { Column } from './terminal/table.ts'
import { DAY_WIDTH, formatValue, toDay } from './terminal/text.ts'
import { addUserChanges } from './user-change.ts'
import { addUserCreate } from './user-create.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

const COLUMNS: readonly Column<UserView>[] = [
  { title: 'ID', text: ({ id }) => id, isWhole: true },
  { title: 'E-MAIL', text: ({ email }) => email, least: 16 },
  { title: 'ROLES', text: ({ roles }) => formatValue(roles) },
  { title: 'STATUS', text: ({ status }) => status },
  { title: 'ORGANIZATION', text: ({ organizationId }) => formatValue(organizationId), isWhole: true },
  { title: 'CREATED', text: ({ createdAt }) => toDay(createdAt), least: DAY_WIDTH },
]

const SORTS = ['createdAt', 'email'] as const

interface ListOptions extends PageOptions, OrderOptions<(typeof SORTS)[number]> {
  readonly organization?: string
}

function addReading(group: Command, cli: Cli): void {
  const list = sorted(paged(group.command('list').description('list users, newest first')), SORTS)
    .option('--organization <name-or-id>', 'only those of this organization')
    .action(({ organization, limit, cursor, ...order }: ListOptions, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { organizationId } = await findOwner(core, { organization })
        output.list(await core.users.list({ ...order, organizationId }, { limit, cursor }, CLI_ACTOR), COLUMNS)
      }),
    )
  withExamples(list, 'user list', 'user list --organization Acme --json')
  const show = group
    .command('show')
    .description('show a user')
    .argument(...WHICH_USER)
    .action((text: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => output.show(await findUser(core, text))),
    )
  withExamples(show, 'user show alice@example.com')
}

export function addUserCommands(program: Command, cli: Cli): void {
  const group = program.command('user').description('users kept here')
  addUserCreate(group, cli)
  addReading(group, cli)
  addUserChanges(group, cli)
}
