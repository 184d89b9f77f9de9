/** `machine-auth key update`, `enable`, `disable` and `rotate`. */
import type { Command } from 'commander'
import { findKey } from './find/key.ts'
import { WHICH_KEY } from './find/which.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { parseDurationText } from './input/values.ts'
import { type KeyMemberOptions, keyMembersOf, withKeyMembers } from './key-members.ts'
import { showNewKey } from './show-new-key.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

function addUpdate(group: Command, cli: Cli): void {
  const command = withKeyMembers(
    group
      .command('update')
      .description('change an API key from the next request on; what is not given stays')
      .argument(...WHICH_KEY)
      .option('--name <name>', 'its new name'),
    cli.io.clock,
  )
    .option('--no-permission', 'take all permissions away')
    .option('--no-expires', 'it does not expire any more')
    .option('--no-rate-limit', 'take its own rate limit away')
    .option('--no-quota', 'take its quota away')
    .option('--no-credits', 'do not count its uses any more')
    .option('--no-ip', 'it may be used from anywhere')
    .option('--no-description', 'take the remark away')
    .option('--no-metadata', 'take the metadata away')
    .action((text: string, options: KeyMemberOptions, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const change = { ...keyMembersOf(options), name: options.name }
        const { id } = await findKey(core, text)
        output.show(await core.keys.update(id, change, CLI_ACTOR))
      }),
    )
  withExamples(
    command,
    'key update key_4dTyWz8Qm1nBvK3c --name "Hourly import" --permission users.view',
    'key update mac_live_4dTy --rate-limit 600/1m --no-expires',
  )
}

function addStatus(group: Command, cli: Cli): void {
  const disable = confirmed(
    group
      .command('disable')
      .description('refuse an API key until it is enabled again')
      .argument(...WHICH_KEY),
  ).action((text: string, options: Confirmation, self: Command) =>
    withCore(cli, self, async ({ core, io, output }) => {
      const { id, name } = await findKey(core, text)
      await requireConfirmation(io, options, `The key ${id} (${name}) will be refused until it is enabled again.`)
      output.done(await core.keys.disable(id, CLI_ACTOR), `${id} is disabled.`)
    }),
  )
  withExamples(disable, 'key disable key_4dTyWz8Qm1nBvK3c', 'key disable mac_live_4dTy --yes')
  const enable = group
    .command('enable')
    .description('let a disabled API key work again; a revoked one cannot')
    .argument(...WHICH_KEY)
    .action((text: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { id } = await findKey(core, text)
        output.done(await core.keys.enable(id, CLI_ACTOR), `${id} is enabled.`)
      }),
    )
  withExamples(enable, 'key enable key_4dTyWz8Qm1nBvK3c')
}

function addRotate(group: Command, cli: Cli): void {
  const command = confirmed(
    group
      .command('rotate')
      .description('make a new key with all that the old one has; the old one works until the grace period ends')
      .argument(...WHICH_KEY)
      .option(
        '--grace <time>',
        'how long the old one works, such as 1h (the default); 0s revokes it',
        parseDurationText,
      ),
  ).action((text: string, { grace, ...confirmation }: Confirmation & { grace?: string }, self: Command) =>
    withCore(cli, self, async ({ core, io, output }) => {
      const { id, name } = await findKey(core, text)
      const end = grace === undefined ? 'at the end of the grace period' : `in ${grace}`
      await requireConfirmation(io, confirmation, `The key ${id} (${name}) will be refused for good ${end}.`)
      showNewKey(output, await core.keys.rotate(id, { gracePeriod: grace }, CLI_ACTOR))
    }),
  )
  withExamples(command, 'key rotate key_4dTyWz8Qm1nBvK3c --grace 24h', 'key rotate mac_live_4dTy --grace 0s --yes')
}

export function addKeyChanges(group: Command, cli: Cli): void {
  addUpdate(group, cli)
  addStatus(group, cli)
  addRotate(group, cli)
}
