/** `machine-auth logs`: which requests came. */
import type { Command } from 'commander'
import { toJsonLine } from '../lib/json-line.ts'
import type { RequestLogEntry } from '../options/recording-types.ts'
import type { RequestLogQuery } from '../recording/requests/reader.ts'
import { UsageError } from './errors.ts'
import { findOwner } from './find/owner.ts'
import { withExamples } from './help.ts'
import { parseTime, parseWhole } from './input/values.ts'
import { LogFollower, readLast } from './log-follower.ts'
import { toLine, toMoment } from './terminal/text.ts'
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

/** `2030-01-01 12:00:00 403 GET /posts/42 1.3 ms key_… 203.0.113.5 permission_required`. */
function formatEntry(entry: RequestLogEntry): string {
  const { at, status, method, path, latencyMs, keyId, userId, address, code } = entry
  const parts = [
    toMoment(at),
    status,
    method,
    path,
    `${latencyMs.toFixed(1)} ms`,
    keyId ?? userId ?? '-',
    address ?? '-',
  ]
  return toLine([...parts, ...(code === null ? [] : [code])].join('  '))
}

async function queryOf({ core }: Session, options: TailOptions): Promise<RequestLogQuery> {
  const { request, key, method, route, status, from, to } = options
  const owner = await findOwner(core, options)
  return { ...owner, requestId: request, keyId: key, method: method?.toUpperCase(), route, status, from, to }
}

async function pauseOr(stopped: Promise<void>): Promise<void> {
  const pause = Promise.withResolvers<void>()
  const timer = setTimeout(pause.resolve, PAUSE)
  await Promise.race([stopped, pause.promise])
  clearTimeout(timer)
}

async function follow(session: Session, query: RequestLogQuery, shown: readonly RequestLogEntry[]): Promise<void> {
  const { core, io } = session
  const follower = new LogFollower(core, query, io.clock, shown)
  let isStopped = false
  const stopped = io.untilStopped().then(() => {
    isStopped = true
  })
  let isCaughtUp = true
  while (!isStopped) {
    if (isCaughtUp) await pauseOr(stopped)
    // Once more at the end, for what came since.
    const look = await follower.look()
    for (const entry of look.entries) print(session, entry)
    isCaughtUp = look.isCaughtUp
  }
}

function print({ io, output }: Session, entry: RequestLogEntry): void {
  if (output.isJson) io.stdout.write(`${toJsonLine(entry)}\n`)
  else output.line(formatEntry(entry))
}

async function tail(session: Session, options: TailOptions): Promise<void> {
  const { core, output } = session
  const { lines = USUAL } = options
  if (lines < 1 || lines > MOST) throw new UsageError(`--lines must be from 1 to ${MOST}.`)
  const query = await queryOf(session, options)
  const last = await readLast(core, query, lines)
  if (output.isJson && options.follow !== true) return output.json(last)
  for (const entry of last.items) print(session, entry)
  if (options.follow === true) return follow(session, query, last.items)
  if (last.items.length === 0) output.note('Nothing was logged: servers log requests once logging.mode is set.')
}

export function addLogCommands(program: Command, cli: Cli): void {
  const group = program.command('logs').description('the request log: which requests came')
  const command = group
    .command('tail')
    .description('show the newest requests, oldest first, and with --follow those to come until it is interrupted')
    .option('-n, --lines <n>', `so many, 1 to ${MOST} (default ${USUAL})`, parseWhole)
    .option('-f, --follow', 'go on with those to come')
    .option('--request <id>', 'only the request of this X-Request-Id')
    .option('--key <id>', 'only requests by this API key')
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
