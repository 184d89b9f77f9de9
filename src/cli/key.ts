/** `machine-auth key`: API keys. */
import { type Command, Option } from 'commander'
import type { ApiKeyView } from '../authentication/views.ts'
import type { KeyFilter } from '../storage/ports/keys.ts'
import { findKey } from './find/key.ts'
import { findOwner, type OwnerOptions } from './find/owner.ts'
import { WHICH_KEY } from './find/which.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { type PageOptions, paged, sorted } from './input/values.ts'
import { addKeyChanges } from './key-change.ts'
import { addKeyCreate } from './key-create.ts'
import { addKeyImport } from './key-import.ts'
import { addKeyLockdown } from './key-lockdown.ts'
import { addKeyUsage } from './key-usage.ts'
import { addKeyVerify } from './key-verify.ts'
import type { Column } from './terminal/table.ts'
import { DAY_WIDTH, formatValue, toDay } from './terminal/text.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

const COLUMNS: readonly Column<ApiKeyView>[] = [
  { title: 'ID', text: ({ id }) => id, isWhole: true },
  { title: 'NAME', text: ({ name }) => name },
  { title: 'STATUS', text: ({ status }) => status },
  { title: 'ENV', text: ({ environment }) => environment },
  { title: 'PERMISSIONS', text: ({ permissions }) => formatValue(permissions) },
  { title: 'EXPIRES', text: ({ expiresAt }) => toDay(expiresAt), least: DAY_WIDTH },
  { title: 'LAST USED', text: ({ lastUsedAt }) => toDay(lastUsedAt), least: DAY_WIDTH },
]

const SORTS = ['createdAt', 'name', 'lastUsedAt'] as const

interface ListOptions extends PageOptions, OwnerOptions, Pick<KeyFilter, 'status' | 'environment' | 'sort' | 'order'> {
  readonly query?: string
}

async function list({ core, output }: Session, options: ListOptions): Promise<void> {
  const { organization, user, query, limit, cursor, ...filter } = options
  const owner = await findOwner(core, { organization, user })
  const keys = await core.keys.list({ ...filter, ...owner, q: query }, { limit, cursor }, CLI_ACTOR)
  output.list(keys, COLUMNS)
}

function addReading(group: Command, cli: Cli): void {
  const listing = sorted(paged(group.command('list').description('list API keys, newest first')), SORTS)
    .option('--organization <name-or-id>', 'only those of this organization')
    .option('--user <id-or-email>', 'only those of this user')
    .addOption(new Option('--status <status>').choices(['active', 'disabled', 'revoked', 'expired']))
    .addOption(new Option('--environment <name>').choices(['live', 'test']))
    .option('--query <text>', 'only those with this text in their name or description')
    .action((options: ListOptions, self: Command) => withCore(cli, self, (session) => list(session, options)))
  withExamples(listing, 'key list', 'key list --organization Acme --status active --query import --json')
  const show = group
    .command('show')
    .description('show an API key, without its secret')
    .argument(...WHICH_KEY)
    .action((text: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => output.show(await findKey(core, text))),
    )
  withExamples(show, 'key show key_4dTyWz8Qm1nBvK3c', 'key show mac_live_4dTy')
}

function addRevoke(group: Command, cli: Cli): void {
  const command = confirmed(
    group
      .command('revoke')
      .description('revoke an API key for good; running servers refuse it within a second')
      .argument(...WHICH_KEY)
      .option('--reason <text>', 'why, for the audit log'),
  ).action((text: string, { reason, ...confirmation }: Confirmation & { reason?: string }, self: Command) =>
    withCore(cli, self, async ({ core, io, output }) => {
      const { id, name } = await findKey(core, text)
      await requireConfirmation(io, confirmation, `The key ${id} (${name}) will be refused for good.`)
      output.done(await core.keys.revoke(id, { reason }, CLI_ACTOR), `${id} is revoked.`)
    }),
  )
  withExamples(command, 'key revoke key_4dTyWz8Qm1nBvK3c --reason "Leaked in a log"', 'key revoke mac_live_4dTy --yes')
}

export function addKeyCommands(program: Command, cli: Cli): void {
  const group = program.command('key').description('API keys')
  addKeyCreate(group, cli)
  addKeyImport(group, cli)
  addReading(group, cli)
  addKeyChanges(group, cli)
  addRevoke(group, cli)
  addKeyLockdown(group, cli)
  addKeyVerify(group, cli)
  addKeyUsage(group, cli)
}
