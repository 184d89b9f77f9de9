/** `machine-auth block`: whom nothing is served to, for a while. */
import { type Command, Option } from 'commander'
import type { BlockView } from '../blocks/views.ts'
import { withExamples } from './help.ts'
import { type Confirmation, confirmed, requireConfirmation } from './input/confirm.ts'
import { requireOne } from './input/required.ts'
import { type PageOptions, paged } from './input/values.ts'
import type { Column } from './terminal/table.ts'
import { formatValue, toMoment } from './terminal/text.ts'
import { CLI_ACTOR, type Cli, withCore } from './with-core.ts'

const COLUMNS: readonly Column<BlockView>[] = [
  { title: 'ID', text: ({ id }) => id, isWhole: true },
  { title: 'SUBJECT', text: ({ subject }) => subject },
  { title: 'KIND', text: ({ kind }) => kind },
  { title: 'UNTIL (UTC)', text: ({ expiresAt }) => toMoment(expiresAt) },
  { title: 'PATH', text: ({ path }) => formatValue(path) },
  { title: 'REASON', text: ({ reason }) => formatValue(reason) },
]

interface AddOptions {
  readonly subject?: string
  readonly duration: string
  readonly scope?: 'global' | 'path'
  readonly path?: string
  readonly reason?: string
}

function addAdd(group: Command, cli: Cli): void {
  const command = group
    .command('add')
    .description('block an address, range, key, user or organization')
    .argument('[subject]', 'an address or range, an id, or user:42')
    .option('--subject <subject>', 'the same')
    .requiredOption('--duration <time>', 'such as 24h, or a time of day in UTC such as 16:00')
    .addOption(new Option('--scope <scope>', 'global unless a path is given').choices(['global', 'path']))
    .option('--path <path>', 'only this path and what lies below it')
    .option('--reason <text>', 'why, for those who list blocks')
    .action((argument: string | undefined, options: AddOptions, self: Command) => {
      const { duration, path, reason } = options
      const subject = requireOne('subject', argument, options.subject)
      const scope = options.scope ?? (path === undefined ? undefined : 'path')
      return withCore(cli, self, async ({ core, output }) => {
        output.show(await core.blocks.add({ subject, duration, scope, path, reason }, CLI_ACTOR))
      })
    })
  withExamples(
    command,
    'block add 203.0.113.5 --duration 24h --reason Scraping',
    'block add key_4dTyWz8Qm1nBvK3c --duration "30 minutes" --path /withdraw',
  )
}

export function addBlockCommands(program: Command, cli: Cli): void {
  const group = program.command('block').description('blocks: whom nothing is served to, for a while')
  addAdd(group, cli)
  const list = paged(group.command('list').description('list blocks in force, newest first')).action(
    (page: PageOptions, self: Command) =>
      withCore(cli, self, async ({ core, output }) => output.list(await core.blocks.list(page, CLI_ACTOR), COLUMNS)),
  )
  withExamples(list, 'block list')
  const show = group
    .command('show')
    .description('show a block in force')
    .argument('<id>')
    .action((id: string, _: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => output.show(await core.blocks.find(id, CLI_ACTOR))),
    )
  withExamples(show, 'block show blk_9hQm2LxVbT0sWcPa')
  const remove = confirmed(group.command('remove').description('end a block').argument('<id>')).action(
    (id: string, options: Confirmation, self: Command) =>
      withCore(cli, self, async ({ core, io, output }) => {
        const { subject } = await core.blocks.find(id, CLI_ACTOR)
        await requireConfirmation(io, options, `${subject} will be served again.`)
        output.done(await core.blocks.remove(id, CLI_ACTOR), `${subject} is not blocked any more.`)
      }),
  )
  withExamples(remove, 'block remove blk_9hQm2LxVbT0sWcPa', 'block remove blk_9hQm2LxVbT0sWcPa --yes')
}
