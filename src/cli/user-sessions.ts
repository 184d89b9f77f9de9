/** `machine-auth session`: where users are logged in by cookie. */
import type { Command } from 'commander'
import type { SessionView } from '../sessions/service.ts'
import { findUser } from './find/user.ts'
import { WHICH_USER } from './find/which.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import type { Column } from './terminal/table.ts'
import { formatValue, toMoment } from './terminal/text.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

const COLUMNS: readonly Column<SessionView>[] = [
  { title: 'ID', text: ({ id }) => id, isWhole: true },
  { title: 'LAST SEEN (UTC)', text: ({ lastSeenAt }) => toMoment(lastSeenAt) },
  { title: 'UNTIL (UTC)', text: ({ expiresAt }) => toMoment(expiresAt) },
  { title: 'ADDRESS', text: ({ address }) => formatValue(address) },
  { title: 'BROWSER', text: ({ userAgent }) => formatValue(userAgent) },
]

function addList(group: Command, cli: Cli): void {
  const command = group
    .command('list')
    .description('list the sessions of a user, newest first')
    .argument(...WHICH_USER)
    .action((text: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { id } = await findUser(core, text)
        output.list({ items: await core.sessions.listFor(id, CLI_ACTOR), nextCursor: null }, COLUMNS)
      }),
    )
  withExamples(command, 'session list alice@example.com')
}

function addEnd(group: Command, cli: Cli): void {
  const command = confirmed(group.command('end').description('end one session').argument('<id>')).action(
    (id: string, options: Confirmation, self: Command) =>
      withCore(cli, self, async ({ core, io, output }) => {
        await requireConfirmation(io, options, `Whoever uses ${id} has to log in again.`)
        await core.sessions.end(id, undefined, CLI_ACTOR)
        output.done({ id }, `${id} has ended.`)
      }),
  )
  withExamples(command, 'session end sess_9hQm2LxVbT0sWcPa', 'session end sess_9hQm2LxVbT0sWcPa --yes')
}

function addEndAll(group: Command, cli: Cli): void {
  const command = confirmed(
    group
      .command('end-all')
      .description('end all sessions of a user')
      .argument(...WHICH_USER),
  ).action((text: string, options: Confirmation, self: Command) =>
    withCore(cli, self, async ({ core, io, output }) => {
      const { id, email } = await findUser(core, text)
      await requireConfirmation(io, options, `${email} has to log in again everywhere.`)
      const count = await core.sessions.endAll(id, CLI_ACTOR)
      output.done({ count }, `${count} sessions of ${email} have ended.`)
    }),
  )
  withExamples(command, 'session end-all alice@example.com', 'session end-all alice@example.com --yes')
}

export function addSessionCommands(program: Command, cli: Cli): void {
  const group = program.command('session').description('sessions: where users are logged in by cookie')
  addList(group, cli)
  addEnd(group, cli)
  addEndAll(group, cli)
}
