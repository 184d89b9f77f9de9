/** `machine-auth key verify`. */
import { type Command, Option } from 'commander'
import { withExamples } from './help.ts'
import { requireSecret } from './input/secret.ts'
import { collect } from './input/values.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

interface VerifyOptions {
  readonly keyStdin?: true
  readonly permission?: readonly string[]
  readonly environment?: 'live' | 'test'
  readonly ip?: string
  readonly consume?: true
}

export function addKeyVerify(group: Command, cli: Cli): void {
  const command = group
    .command('verify')
    .description(
      'say whether a key is valid (exit 0) or not (exit 1); the key comes from a prompt, standard input or MACHINE_AUTH_KEY',
    )
    .option('--key-stdin', 'read the key from standard input')
    .option('--permission <name>', 'it must have this permission; may be repeated', collect)
    .addOption(new Option('--environment <name>', 'it must be of this environment').choices(['live', 'test']))
    .option('--ip <address>', 'as if it came from this address')
    .option('--consume', 'count one use')
    .action(({ keyStdin, permission: permissions, ...asked }: VerifyOptions, self: Command) =>
      withCore(cli, self, async ({ core, io, output }) => {
        const isFromStdin = keyStdin === true
        const source = { label: 'Key', variable: 'MACHINE_AUTH_KEY', flag: '--key-stdin', isFromStdin }
        const key = await requireSecret(io, source)
        const verification = await core.keys.verify({ ...asked, permissions, key }, CLI_ACTOR)
        if (output.isJson) output.json(verification)
        else {
          const { key: known, ...verdict } = verification
          output.show({ ...verdict, ...(known === undefined ? {} : { key: known.id, name: known.name }) })
        }
        if (!verification.valid) cli.exitCode = 1
      }),
    )
  withExamples(command, 'key verify', 'key verify --key-stdin --permission users.view --ip 203.0.113.5 < key.txt')
}
