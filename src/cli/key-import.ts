/** `machine-auth key import`: takes over keys that were made elsewhere. */
import { type Command, Option } from 'commander'
import { findOwner, type OwnerOptions } from './find/owner.ts'
import { withExamples } from './help.ts'
import { requireSecret } from './input/secret.ts'
import { parseTime } from './input/values.ts'
import { type KeyMemberOptions, keyMembersOf, withKeyMembers } from './key-members.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

interface ImportOptions extends KeyMemberOptions, OwnerOptions {
  readonly name: string
  readonly hashKind: string
  readonly hashStdin?: true
  readonly prefix?: string
  /** RFC 3339. */
  readonly createdAt?: string
  readonly environment?: 'live' | 'test'
}

async function importKey({ core, io, output }: Session, options: ImportOptions): Promise<void> {
  const { name, hashKind, prefix, createdAt, environment } = options
  const members = keyMembersOf(options)
  const owner = await findOwner(core, options)
  const isFromStdin = options.hashStdin === true
  const hash = await requireSecret(io, {
    label: 'Hash',
    variable: 'MACHINE_AUTH_HASH',
    flag: '--hash-stdin',
    isFromStdin,
  })
  const input = { ...members, ...owner, name, hash, hashKind, prefix, createdAt, environment }
  output.show(await core.keys.import(input, CLI_ACTOR))
}

export function addKeyImport(group: Command, cli: Cli): void {
  const command = withKeyMembers(
    group
      .command('import')
      .description(
        'take over a key that was made elsewhere; its hash comes from a prompt, standard input or MACHINE_AUTH_HASH',
      )
      .requiredOption('--name <name>', 'what it is for')
      .requiredOption('--hash-kind <name>', 'one of apiKeys.importKinds of the configuration, such as sha256')
      .option('--hash-stdin', 'read the hash from standard input')
      .option('--prefix <text>', 'the part of the key that may be shown')
      .option('--created-at <time>', 'when it was made there, an RFC 3339 time', parseTime)
      .option('--organization <name-or-id>', 'the organization it belongs to')
      .option('--user <id-or-email>', 'the user it speaks for')
      .addOption(new Option('--environment <name>', 'live unless it says test').choices(['live', 'test'])),
    cli.io.clock,
  ).action((options: ImportOptions, self: Command) => withCore(cli, self, (session) => importKey(session, options)))
  withExamples(command, 'key import --name Billing --hash-kind sha256 --prefix bk_9f8 --hash-stdin < hash.txt')
}
