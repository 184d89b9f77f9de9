/** `machine-auth org`: organizations. */
import type { Command } from 'commander'
import type { OrganizationView } from '../accounts/views.ts'
import { findOrganization } from './find/organization.ts'
import { WHICH_ORGANIZATION } from './find/which.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { requireOne } from './input/required.ts'
import {
  collect,
  type OrderOptions,
  type PageOptions,
  paged,
  parseDurationText,
  parseRate,
  parseWhole,
  sorted,
} from './input/values.ts'
import { CLI_ACTOR, type Cli, withCore } from './session.ts'
import type { Column } from './terminal/table.ts'
import { formatValue, toDay } from './terminal/text.ts'

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

interface LimitOptions {
  readonly rateLimit?: ReturnType<typeof parseRate> | false
  readonly quota?: number | false
  readonly maxPermission?: readonly string[] | false
  readonly maxKeyLifetime?: string | false
}

/** What an option was given as; null where it is taken away, undefined where it was not given. */
function orNone<T>(value: T | false | undefined): T | null | undefined {
  return value === false ? null : value
}

function limitsOf({ rateLimit, quota, maxPermission, maxKeyLifetime }: LimitOptions) {
  return {
    rateLimit: orNone(rateLimit),
    monthlyQuota: orNone(quota),
    maxPermissions: orNone(maxPermission),
    maxKeyLifetime: orNone(maxKeyLifetime),
  }
}

function limited(command: Command): Command {
  return command
    .option('--rate-limit <rate>', 'of each of its keys that has none of its own, such as 600/1m', parseRate)
    .option('--quota <n>', 'requests of all its keys together in a calendar month', parseWhole)
    .option('--max-permission <name>', 'what its keys may have at most; may be repeated', collect)
    .option('--max-key-lifetime <time>', 'how long its keys live at most, such as 90d', parseDurationText)
}

function addCreate(group: Command, cli: Cli): void {
  const command = limited(
    group
      .command('create')
      .description('create an organization')
      .argument('[name]', 'its name, which no other may have')
      .option('--name <name>', 'the same'),
  ).action((argument: string | undefined, options: LimitOptions & { name?: string }, self: Command) => {
    const name = requireOne('name', argument, options.name)
    return withCore(cli, self, async ({ core, output }) => {
      output.show(await core.organizations.create({ name, ...limitsOf(options) }, CLI_ACTOR))
    })
  })
  withExamples(command, 'org create Acme', 'org create "Acme Corp" --rate-limit 600/1m --max-key-lifetime 90d')
}

function addUpdate(group: Command, cli: Cli): void {
  const command = limited(
    group
      .command('update')
      .description('change an organization; what is not given stays')
      .argument(...WHICH_ORGANIZATION)
      .option('--name <name>', 'its new name'),
  )
    .option('--no-rate-limit', 'take the rate limit away')
    .option('--no-quota', 'take the quota away')
    .option('--no-max-permission', 'take the bound of permissions away')
    .option('--no-max-key-lifetime', 'take the bound of lifetimes away')
    .action((text: string, options: LimitOptions & { name?: string }, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { id } = await findOrganization(core, text)
        output.show(await core.organizations.update(id, { name: options.name, ...limitsOf(options) }, CLI_ACTOR))
      }),
    )
  withExamples(command, 'org update Acme --name "Acme Corp"', 'org update Acme --quota 200000 --no-rate-limit')
}

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
  addCreate(group, cli)
  addReading(group, cli)
  addUpdate(group, cli)
  addStatus(group, cli)
}
