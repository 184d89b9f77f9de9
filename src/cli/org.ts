/** `machine-auth org`: organizations. */
import type { Command } from 'commander'
import type { OrganizationView } from '../accounts/views.ts'
import { findOrganization } from './find/organization.ts'
import { WHICH_ORGANIZATION } from './find/which.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { type OrderOptions, type PageOptions, paged, sorted } from './input/values.ts'
import { addOrganizationWriting } from './org-write.ts'
import type { Column } from './terminal/table.ts'
import { formatValue, toDay } from './terminal/text.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

const SORTS = ['createdAt', 'name'] as const

const COLUMNS: readonly Column<OrganizationView>[] = [
  { title: 'ID', text: ({ id }) => id, isWhole: true },
  { title: 'NAME', text: ({ name }) => name },
  { title: 'STATUS', text: ({ status }) => status },
  { title: 'KEYS', text: ({ keyCount }) => String(keyCount) },
  { title: 'RATE LIMIT', text: ({ rateLimit }) => formatValue(rateLimit) },
  { title: 'QUOTA', text: ({ monthlyQuota }) => formatValue(monthlyQuota) },
  { title: 'CREATED', text: ({ createdAt }) => toDay(createdAt) },
]

function addReading(group: Command, cli: Cli): void {
  const list = sorted(paged(group.command('list').description('list organizations, newest first')), SORTS).action(
    ({ limit, cursor, ...order }: PageOptions & OrderOptions<(typeof SORTS)[number]>, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        output.list(await core.organizations.list(order, { limit, cursor }, CLI_ACTOR), COLUMNS)
      }),
  )
  withExamples(list, 'org list', 'org list --limit 100 --json')
  const show = group
    .command('show')
    .description('show an organization')
    .argument(...WHICH_ORGANIZATION)
    .action((text: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => output.show(await findOrganization(core, text))),
    )
  withExamples(show, 'org show Acme')
}

function addStatus(group: Command, cli: Cli): void {
  const suspend = confirmed(
    group
      .command('suspend')
      .description('refuse all keys, users and tokens of an organization from now on')
      .argument(...WHICH_ORGANIZATION),
  ).action((text: string, options: Confirmation, self: Command) =>
    withCore(cli, self, async ({ core, io, output }) => {
      const { id, name } = await findOrganization(core, text)
      await requireConfirmation(io, options, `All keys, users and tokens of ${name} (${id}) will be refused at once.`)
      output.done(await core.organizations.suspend(id, CLI_ACTOR), `${name} is suspended.`)
    }),
  )
  withExamples(suspend, 'org suspend Acme', 'org suspend Acme --yes')
  const activate = group
    .command('activate')
    .description('let the keys, users and tokens of an organization work again')
    .argument(...WHICH_ORGANIZATION)
    .action((text: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { id, name } = await findOrganization(core, text)
        output.done(await core.organizations.activate(id, CLI_ACTOR), `${name} is active.`)
      }),
    )
  withExamples(activate, 'org activate Acme')
}

export function addOrganizationCommands(program: Command, cli: Cli): void {
  const group = program.command('org').description('organizations: the tenants that keys and users belong to')
  addOrganizationWriting(group, cli)
  addReading(group, cli)
  addStatus(group, cli)
}
