/** `machine-auth user update`, `set-roles`, `set-password`, `disable` and `enable`. */
import type { Command } from 'commander'
import { findOwner } from './find/owner.ts'
import { findUser } from './find/user.ts'
import { WHICH_USER } from './find/which.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { newPassword, type PasswordOptions } from './input/new-password.ts'
import { requireSecret } from './input/secret.ts'
import { formatValue } from './terminal/text.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

interface UpdateOptions {
  readonly email?: string
  /** False for `--no-organization`. */
  readonly organization?: string | false
}

function addUpdate(group: Command, cli: Cli): void {
  const command = group
    .command('update')
    .description('change a user; what is not given stays')
    .argument(...WHICH_USER)
    .option('--email <address>', 'the new e-mail address')
    .option('--organization <name-or-id>', 'move the user into this organization')
    .option('--no-organization', 'take the user out of the organization')
    .action((text: string, { email, organization }: UpdateOptions, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { id } = await findUser(core, text)
        const organizationId = organization === false ? null : (await findOwner(core, { organization })).organizationId
        output.show(await core.users.update(id, { email, organizationId }, CLI_ACTOR))
      }),
    )
  withExamples(
    command,
    'user update bob@example.com --email robert@example.com',
    'user update bob@example.com --organization Acme',
  )
}

function addCredentials(group: Command, cli: Cli): void {
  const setRoles = group
    .command('set-roles')
    .description("replace a user's roles; none takes all away")
    .argument(...WHICH_USER)
    .argument('[roles...]', 'names of roles')
    .action((text: string, roles: readonly string[], _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { id, email } = await findUser(core, text)
        const user = await core.users.setRoles(id, roles, CLI_ACTOR)
        output.done(user, `${email} has the roles: ${formatValue(user.roles)}`)
      }),
    )
  withExamples(setRoles, 'user set-roles alice@example.com admin editor')
  const setPassword = group
    .command('set-password')
    .description("set a user's password, and end all sessions and tokens of the user")
    .argument(...WHICH_USER)
    .option('--password-stdin', 'read the password from standard input')
    .action((text: string, options: PasswordOptions, self: Command) =>
      withCore(cli, self, async ({ core, io, output }) => {
        const { id, email } = await findUser(core, text)
        const password = await requireSecret(io, newPassword(options))
        output.done(await core.users.setPassword(id, password, CLI_ACTOR), `${email} has a new password.`)
      }),
    )
  withExamples(
    setPassword,
    'user set-password alice@example.com',
    'user set-password alice@example.com --password-stdin < password.txt',
  )
}

function addStatus(group: Command, cli: Cli): void {
  const disable = confirmed(
    group
      .command('disable')
      .description('refuse a user everything: login, sessions, tokens and keys')
      .argument(...WHICH_USER),
  ).action((text: string, options: Confirmation, self: Command) =>
    withCore(cli, self, async ({ core, io, output }) => {
      const { id, email } = await findUser(core, text)
      await requireConfirmation(
        io,
        options,
        `The sessions and tokens of ${email} end for good; keys are refused at once.`,
      )
      output.done(await core.users.disable(id, CLI_ACTOR), `${email} is disabled.`)
    }),
  )
  withExamples(disable, 'user disable bob@example.com', 'user disable bob@example.com --yes')
  const enable = group
    .command('enable')
    .description('let a disabled user log in again; keys work again, old sessions and tokens do not')
    .argument(...WHICH_USER)
    .action((text: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const { id, email } = await findUser(core, text)
        output.done(await core.users.enable(id, CLI_ACTOR), `${email} is active.`)
      }),
    )
  withExamples(enable, 'user enable bob@example.com')
}

export function addUserChanges(group: Command, cli: Cli): void {
  addUpdate(group, cli)
  addCredentials(group, cli)
  addStatus(group, cli)
}
