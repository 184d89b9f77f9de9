/** `machine-auth logs`: which requests came. */
import type { Command } from 'commander'
import { toJsonLine } from '../lib/json-line.ts'
import type { RequestLogEntry } from '../options/recording-types.ts'
import type { RequestLogQuery } from '../recording/requests/reader.ts'
import { UsageError } from './errors.ts'
import { findKey } from './find/key.ts'
import { findOwner } from './find/owner.ts'
import { WHICH_KEY } from './find/which.ts'
import { withExamples } from './help.ts'
import { parseTime, parseWhole } from './input/values.ts'
import { type LastEntries, LogFollower, readLast } from './log-follower.ts'
import { LogTable } from './log-table.ts'
import { type Cli, type Session, withCore } from './with-core.ts'

const USUAL = 20
const MOST = 1000
/** ms between looks. */
const PAUSE = 500

interface TailOptions {
  readonly lines?: number
  readonly follow?: boolean
  readonly request?: string
  readonly key?: string
  readonly user?: string
  readonly organization?: string
  readonly method?: string
  readonly route?: string
  readonly status?: number
  readonly from?: string
  readonly to?: string
}

async function queryOf({ core }: Session, options: TailOptions): Promise<RequestLogQuery> {
  const { request, key, method, route, status, from, to } = options
  const owner = await findOwner(core, options)
  const keyId = key === undefined ? undefined : (await findKey(core, key)).id
  return { ...owner, requestId: request, keyId, method, route, status, from, to }
}

async function pauseOr(stopped: Promise<void>): Promise<void> {
  const pause = Promise.withResolvers<void>()
  const timer = setTimeout(pause.resolve, PAUSE)
  await Promise.race([stopped, pause.promise])
  clearTimeout(timer)
}

async function follow(session: Session, query: RequestLogQuery, shown: LastEntries, print: Print): Promise<void> {
  const { core, io } = session
  const follower = new LogFollower(core, query, io.clock, shown)
  let isStopped = false
  const stopped = io.untilStopped().then(() => {
    isStopped = true
  })
  // At once, so that little can come between what is shown and what is not.
  let isCaughtUp = false
  let isOver = false
  while (!isStopped && !isOver) {
    if (isCaughtUp) await pauseOr(stopped)
    // Once more at the end, for what came since.
    const look = await follower.look()
    print(look.entries)
    isCaughtUp = look.isCaughtUp
    isOver = look.isOver
  }
}

type Print = (entries: readonly RequestLogEntry[]) => void

function createPrint({ io, output }: Session): Print {
  const table = new LogTable(io)
  if (!output.isJson) return (entries) => table.add(entries)
  return (entries) => {
    for (const entry of entries) io.stdout.write(`${toJsonLine(entry)}\n`)
  }
}

async function tail(session: Session, options: TailOptions): Promise<void> {
  const { core, output } = session
  const { lines = USUAL, follow: isFollowed = false, ...filters } = options
  if (lines < 1 || lines > MOST) throw new UsageError(`--lines must be from 1 to ${MOST}.`)
  const query = await queryOf(session, options)
  const last = await readLast(core, query, lines)
  if (output.isJson && !isFollowed) return output.json(last)
  const print = createPrint(session)
  print(last.items)
  if (isFollowed) return follow(session, query, last, print)
  if (last.items.length > 0) return
  const isFiltered = Object.values(filters).some((filter) => filter !== undefined)
  output.note(isFiltered ? 'No entry matches.' : 'Nothing was logged: servers log requests once logging.mode is set.')
}

export function addLogCommands(program: Command, cli: Cli): void {
  const group = program.command('logs').description('the request log: which requests came')
  const command = group
    .command('tail')
    .description(
      'show the newest requests, oldest first, and with --follow those to come until it is interrupted or --to is over',
    )
    .option('-n, --lines <n>', `so many, 1 to ${MOST} (default ${USUAL})`, parseWhole)
    .option('-f, --follow', 'go on with those to come')
    .option('--request <id>', 'only the request of this X-Request-Id')
    .option('--key <id-or-prefix>', `only requests by this API key: ${WHICH_KEY[1]}`)
    .option('--user <email-or-id>', 'only requests of this user')
    .option('--organization <name-or-id>', 'only requests of this organization')
    .option('--method <name>', 'only this method')
    .option('--route <pattern>', 'only this route, such as /posts/:id')
    .option('--status <n>', 'only this status', parseWhole)
    .option('--from <time>', 'answered from this RFC 3339 time on', parseTime)
    .option('--to <time>', 'answered before this RFC 3339 time', parseTime)
    .action((options: TailOptions, self: Command) => withCore(cli, self, (session) => tail(session, options)))
  withExamples(command, 'logs tail', 'logs tail -n 100 --status 401', 'logs tail --follow --json')
}
