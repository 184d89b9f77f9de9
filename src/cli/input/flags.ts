/** What services call by the name of a field, in terms of the command line. */

const FLAGS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    permissions: '--permission',
    maxPermissions: '--max-permission',
    maxKeyLifetime: '--max-key-lifetime',
    inherits: '--inherits',
    roles: '--role',
    ipAllowlist: '--ip',
    rateLimit: '--rate-limit',
    monthlyQuota: '--quota',
    'credits.refill': '--refill',
    expiresAt: '--expires',
    organizationId: '--organization',
    userId: '--user',
    gracePeriod: '--grace',
    createdBefore: '--created-before',
    q: '--query',
    password: 'the password',
    passwordHash: 'the password hash',
    hash: 'the hash',
  }),
)

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/**
 * The flag that gave a field: `ipAllowlist.1` is the second `--ip`.
 *
 * @param path as in the field errors of a service
 */
export function flagOf(path: string): string {
  const [, name = path, index] = /^(.*?)(?:\.(\d+))?$/.exec(path) ?? []
  const head = name.split('.')[0] ?? name
  const flag = FLAGS.get(name) ?? [...FLAGS].find(([known]) => name.startsWith(`${known}.`))?.[1] ?? `--${kebab(head)}`
  return index === undefined ? flag : `${flag} number ${Number(index) + 1}`
}

/** Options that people try, whose values anybody on the machine could read; and what to use instead. */
export const MISUSED_FLAGS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '--secret': 'Set MACHINE_AUTH_SECRET, or put it into .env with: machine-auth secret generate --write .env',
    '--master-key': 'Set MACHINE_AUTH_MASTER_KEY, or: machine-auth secret generate --master-key --write .env',
    '--password': 'Use the prompt, --password-stdin, or MACHINE_AUTH_PASSWORD.',
    '--key': 'Use the prompt, --key-stdin, or MACHINE_AUTH_KEY.',
    '--hash': 'Use the prompt, --hash-stdin, or MACHINE_AUTH_HASH.',
  }),
)
