/** `machine-auth user`: users kept here. */
import type { Command } from 'commander'
import type { UserView } from '../accounts/views.ts'
import { findOwner } from './find/owner.ts'
import { findUser } from './find/user.ts'
import { WHICH_USER } from './find/which.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { requireOne } from './input/required.ts'
import { findSecret, requireSecret, type SecretSource } from './input/secret.ts'
import { collect, type OrderOptions, type PageOptions, paged, sorted } from './input/values.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './session.ts'
import type { Column } from './terminal/table.ts'
import { formatValue, toDay } from './terminal/text.ts'

const COLUMNS: readonly Column<UserView>[] = [
  { title: 'ID', text: ({ id }) => id, isWhole: true },
  { title: 'E-MAIL', text: ({ email }) => email },
  { title: 'ROLES', text: ({ roles }) => formatValue(roles) },
  { title: 'STATUS', text: ({ status }) => status },
  { title: 'ORGANIZATION', text: ({ organizationId }) => formatValue(organizationId) },
  { title: 'CREATED', text: ({ createdAt }) => toDay(createdAt) },
]

interface PasswordOptions {
  readonly passwordStdin?: true
}

/** Where a new password comes from. */
export function newPassword({ passwordStdin }: PasswordOptions): SecretSource {
  const isFromStdin = passwordStdin === true
  return { label: 'Password', variable: 'MACHINE_AUTH_PASSWORD', flag: '--password-stdin', isFromStdin, isNew: true }
}

interface CreateOptions extends PasswordOptions {
  readonly email?: string
  readonly role?: readonly string[]
  readonly organization?: string
  readonly id?: string
  /** False for `--no-password`. */
  readonly password: boolean
}

async function create({ core, io, output }: Session, email: string, options: CreateOptions): Promise<void> {
  const { organization, role: roles = [], id } = options
  const { organizationId } = await findOwner(core, { organization })
  const password = options.password ? await findSecret(io, newPassword(options)) : null
  const input = { email, organizationId, roles, id, password: password ?? undefined }
  output.show(await core.users.create(input, CLI_ACTOR))
  if (password === null) output.note('Without a password: set one with machine-auth user set-password.')
}

function addCreate(group: Command, cli: Cli): void {
  const command = group
    .command('create')
    .description('create a user; the password comes from a prompt, standard input or MACHINE_AUTH_PASSWORD')
    .argument('[email]', 'the e-mail address')
    .option('--email <address>', 'the same')
    .option('--role <name>', 'may be repeated', collect)
    .option('--organization <name-or-id>', 'the organization the user belongs to')
    .option('--id <id>', 'keep the id of another table')
    .option('--password-stdin', 'read the password from standard input')
    .option('--no-password', 'without a password: the user cannot log in by one')
    .action((argument: string | undefined, options: CreateOptions, self: Command) => {
      const email = requireOne('email', argument, options.email)
      return withCore(cli, self, (session) => create(session, email, options))
    })
  withExamples(
    command,
    'user create alice@example.com --role admin',
    'user create ci@acme.example --organization Acme --no-password',
    'user create bob@example.com --password-stdin < password.txt',
  )
}

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

function addChanges(group: Command, cli: Cli): void {
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

export function addUserCommands(program: Command, cli: Cli): void {
  const group = program.command('user').description('users kept here')
  addCreate(group, cli)
  addReading(group, cli)
  addChanges(group, cli)
  addStatus(group, cli)
}
