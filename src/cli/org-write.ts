/** `machine-auth org create` and `update`. */
import type { Command } from 'commander'
import { findOrganization } from './find/organization.ts'
import { WHICH_ORGANIZATION } from './find/which.ts'
import { withExamples } from './help.ts'
import { requireOne } from './input/required.ts'
import { collect, parseDurationText, parseRate, parseWhole } from './input/values.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

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

export function addOrganizationWriting(group: Command, cli: Cli): void {
  addCreate(group, cli)
  addUpdate(group, cli)
}
