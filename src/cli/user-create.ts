/** `machine-auth user create`. */
import type { Command } from 'commander'
import { findOwner } from './find/owner.ts'
import { withExamples } from './help.ts'
import { newPassword, type PasswordOptions } from './input/new-password.ts'
import { requireOne } from './input/required.ts'
import { requireSecret } from './input/secret.ts'
import { collect } from './input/values.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

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
  const password = options.password
    ? await requireSecret(io, { ...newPassword(options), without: '--no-password' })
    : null
  const input = { email, organizationId, roles, id, password: password ?? undefined }
  output.show(await core.users.create(input, CLI_ACTOR))
  if (password === null) output.note('Without a password: set one with machine-auth user set-password.')
}

export function addUserCreate(group: Command, cli: Cli): void {
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
