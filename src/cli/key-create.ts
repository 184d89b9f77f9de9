/** `machine-auth key create`. */
import { type Command, Option } from 'commander'
import { findOwner, type OwnerOptions } from './find/owner.ts'
import { withExamples } from './help.ts'
import { type KeyMemberOptions, keyMembersOf, withKeyMembers } from './key-members.ts'
import { showNewKey } from './show-new-key.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

interface CreateOptions extends KeyMemberOptions, OwnerOptions {
  readonly name: string
  readonly environment?: 'live' | 'test'
}

async function create({ core, output }: Session, options: CreateOptions): Promise<void> {
  const { name, environment } = options
  const members = keyMembersOf(options)
  const owner = await findOwner(core, options)
  showNewKey(output, await core.keys.create({ ...members, ...owner, name, environment }, CLI_ACTOR))
}

export function addKeyCreate(group: Command, cli: Cli): void {
  const command = withKeyMembers(
    group
      .command('create')
      .description('create an API key; it is printed this once')
      .requiredOption('--name <name>', 'what it is for')
      .option('--organization <name-or-id>', 'the organization it belongs to')
      .option('--user <id-or-email>', 'the user it speaks for')
      .addOption(new Option('--environment <name>', 'live unless it says test').choices(['live', 'test'])),
    cli.io.clock,
  ).action((options: CreateOptions, self: Command) => withCore(cli, self, (session) => create(session, options)))
  withExamples(
    command,
    'key create --name CI --permission machine_auth.keys.view --expires 90d',
    'key create --organization Acme --name "Nightly import" --rate-limit 100/1m --quota 200000 --ip 203.0.113.0/24',
    'key create --name Trial --environment test --credits 500 --refill 100/1d --json',
  )
}
