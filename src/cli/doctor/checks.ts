/** Doctor's checks: each a function of the facts. */

import { parseCidr } from '../../lib/ip.ts'
import { toTimestamp } from '../../lib/timestamp.ts'
import type { Mistake } from '../../options/mistakes.ts'
import { SECRET_FILE } from '../../options/secret-file.ts'
import { adviceOnDatabase, adviceOnLost, REDIS_ADVICE } from './advice.ts'
import type { Facts, JournalPart } from './facts.ts'

export type State = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly state: State
  /** What is so. */
  readonly detail: string
  /** What to do about it; null where there is nothing to do. */
  readonly mend: string | null
}

export interface Check {
  readonly name: string
  /** One or more findings. */
  readonly run: (facts: Facts) => readonly Finding[]
}

function ok(detail: string): readonly Finding[] {
  return [{ state: 'ok', detail, mend: null }]
}

function found(state: 'warn' | 'fail', detail: string, mend: string): readonly Finding[] {
  return [{ state, detail, mend }]
}

const UNKNOWN = found('warn', 'not looked at, since the configuration is wrong', 'mend the configuration first')

/** Mistakes that have a check of their own. */
const OWN_CHECK: readonly string[] = ['secret', 'masterKey']

function isOf(option: string, { path }: Mistake): boolean {
  return path === option || path.startsWith(`${option}[`) || path.startsWith(`${option}.`)
}

function mistakeFindings(mistakes: readonly Mistake[]): readonly Finding[] {
  return mistakes.map(({ path, source, given, accepted }) => ({
    state: 'fail',
    detail: `${source === undefined || source === path ? path : `${path} (${source})`}: given ${given}`,
    mend: `give ${accepted}`,
  }))
}

function checkConfiguration({ mistakes, options }: Facts): readonly Finding[] {
  const own = mistakes.filter((mistake) => !OWN_CHECK.some((option) => isOf(option, mistake)))
  if (own.length > 0) return mistakeFindings(own)
  // That a secret was made up is told by the check of the secret.
  const warnings = (options?.warnings ?? []).filter((warning) => !warning.startsWith('No secret was given'))
  if (warnings.length === 0) return ok('every option is as it must be')
  return warnings.flatMap((warning) => found('warn', warning, 'change it, or leave it when it is meant so'))
}

const MAKE_SECRET = 'machine-auth secret generate --write .env'

const GIVE_SECRET = 'give the one the database was made with: set MACHINE_AUTH_SECRET, or run this where the app runs'

/** Under a new secret nothing that the old one made is accepted: none is advised for a database in use. */
function adviceOnSecret({ isUsed }: Facts): string {
  if (isUsed === null) return `give the one the database was made with; for a new database: ${MAKE_SECRET}`
  return isUsed ? GIVE_SECRET : MAKE_SECRET
}

function checkSecret(facts: Facts): readonly Finding[] {
  const { mistakes, secretSource, isUsed } = facts
  if (secretSource === null && isUsed === true)
    return found('fail', 'the database is in use, and its secret is not given', GIVE_SECRET)
  const advice = adviceOnSecret(facts)
  const own = mistakes.filter((mistake) => isOf('secret', mistake))
  if (own.length > 0)
    return mistakeFindings(own).map((finding) => ({
      ...finding,
      mend: isUsed === false ? `${finding.mend}: ${advice}` : advice,
    }))
  if (secretSource === null) return found('warn', 'none yet: the first start in development makes one', advice)
  if (secretSource !== SECRET_FILE) return ok(`given by ${secretSource}`)
  const detail = `the one that development made, in ${SECRET_FILE}, which production does not read`
  return found('warn', detail, isUsed === false ? MAKE_SECRET : 'machine-auth init, which sets it in .env')
}

function checkMasterKey({ mistakes, options }: Facts): readonly Finding[] {
  const own = mistakes.filter((mistake) => isOf('masterKey', mistake))
  if (own.length > 0) return mistakeFindings(own)
  if (options === null) return UNKNOWN
  if (options.masterKeys.length === 0) return ok('none: management over HTTP needs an administrator')
  if (options.masterKeyAddresses.length > 0) return ok('given, and accepted from some addresses only')
  return ok('given, and accepted from any address (masterKeyAddresses restricts that)')
}

function checkDatabase({ database }: Facts): readonly Finding[] {
  switch (database.kind) {
    case 'unknown':
      return UNKNOWN
    case 'missing':
      return found('warn', 'the file does not exist yet', 'machine-auth init, or start the app')
    case 'broken':
      return found('fail', database.reason, adviceOnDatabase(database.trouble))
    default:
      return ok('answers')
  }
}

function checkMigrations({ database, options }: Facts): readonly Finding[] {
  if (database.kind === 'open') return ok('the database is of this version')
  if (database.kind !== 'pending') return []
  const detail = `pending: ${database.migrations.join(', ')}`
  return options?.migrate === 'check'
    ? found('fail', `${detail}; with migrate: 'check' the app does not start`, 'machine-auth migrate')
    : found('warn', `${detail}; the next start applies them`, 'machine-auth migrate')
}

function checkRows({ database, secretSource }: Facts): readonly Finding[] {
  // Without a secret everything is of another one.
  if (database.kind !== 'open' || secretSource === null) return []
  const { lost } = database
  if (lost.count === 0) return ok('every key and token belongs to a secret that is given')
  if (lost.isAll) {
    const detail = 'no stored key, token or signing key belongs to a secret that is given: all are refused'
    const mend = 'see that MACHINE_AUTH_SECRET is the one of the other processes'
    return found('fail', detail, `${mend}; if that is lost: ${adviceOnLost(lost)}`)
  }
  return found(
    'fail',
    `${lost.count === 1 ? '1 key or token belongs' : `${lost.count} keys or tokens belong`} to a secret that is no longer given: refused`,
    `add that secret behind the new one (MACHINE_AUTH_SECRET=new,old); if it is lost: ${adviceOnLost(lost)}`,
  )
}

function checkAudit({ database, secretSource }: Facts): readonly Finding[] {
  if (database.kind !== 'open' || secretSource === null) return []
  if (!database.isAuditUnknown) return ok('goes on under a secret that is given')
  return found(
    'fail',
    'its newest events are of a secret that is no longer given: no event is added to what can be verified',
    'add that secret behind the new one (MACHINE_AUTH_SECRET=new,old); if it is lost: machine-auth audit adopt',
  )
}

/** This version was made after it. */
const EARLIEST = Date.UTC(2025, 0, 1)
const LATEST = Date.UTC(2100, 0, 1)
/** ms that clocks of processes may be apart. */
const TOLERANCE = 60_000

function checkClock({ database, now }: Facts): readonly Finding[] {
  const advice = 'set the clock, and keep it set (NTP)'
  if (now < EARLIEST || now > LATEST) return found('fail', `the clock says ${toTimestamp(now)}`, advice)
  const newestAt = database.kind === 'open' ? database.newestAt : null
  if (newestAt === null || newestAt <= now + TOLERANCE) return ok(toTimestamp(now))
  return found('fail', `it is ${toTimestamp(now)} here, but the database has rows of ${toTimestamp(newestAt)}`, advice)
}

function checkFiles({ files }: Facts): readonly Finding[] {
  const findings = files.flatMap(({ name, mode }) => {
    if ((mode & 0o077) === 0) return []
    const who = (mode & 0o007) === 0 ? 'the group' : 'everybody'
    const state = (mode & 0o007) === 0 ? 'warn' : 'fail'
    return found(state, `${name} is open to ${who} (mode ${mode.toString(8).padStart(4, '0')})`, `chmod 600 ${name}`)
  })
  if (findings.length > 0) return findings
  return ok(files.length === 0 ? 'none yet' : `${files.map(({ name }) => name).join(', ')}: the owner only`)
}

function sizeOf({ files, bytes }: JournalPart): string {
  return `${bytes.toLocaleString('en')} ${bytes === 1 ? 'byte' : 'bytes'} in ${files} ${files === 1 ? 'file' : 'files'}`
}

const COUNT_LEFT = 'start the app: it counts them within seconds, if they are of this database and it takes writes'
const COUNT_OTHERWISE = "start the app once with usage.durability: 'journaled', which counts them; else they stay"

function checkJournal({ journal }: Facts): readonly Finding[] {
  if (journal === null) return []
  const { directory, isKept, unwritable, left, inUse } = journal
  if (unwritable !== null) {
    return found('fail', `cannot be kept in ${directory}: ${unwritable.reason}`, unwritable.advice)
  }
  if (left.files > 0) {
    const detail = `not counted yet, of processes that ended: ${sizeOf(left)} of ${directory}`
    return found('warn', detail, isKept ? COUNT_LEFT : COUNT_OTHERWISE)
  }
  if (inUse.files > 0) return ok(`${directory}: ${sizeOf(inUse)} in use, not counted yet`)
  return isKept ? ok(`${directory}: can be written, nothing is left to count`) : []
}

/** Fewer bits of prefix than a provider's own network has. */
const WIDE = { 4: 8, 6: 16 } as const

function checkProxies({ options }: Facts): readonly Finding[] {
  if (options === null) return UNKNOWN
  const { trustProxy } = options
  if (trustProxy === false) return ok('none is trusted: right when clients connect directly')
  const ranges = trustProxy.from.map((text) => ({ text, range: parseCidr(text) }))
  const all = ranges.filter(({ range }) => range?.bits === 0)
  const advice = 'list the addresses of your proxies in trustProxy.from, and nothing that clients can send from'
  if (all.length > 0) return found('fail', 'every address is trusted: each client can claim to be any other', advice)
  const wide = ranges.filter(({ text, range }) => range !== null && range.bits < WIDE[text.includes(':') ? 6 : 4])
  if (wide.length > 0) return found('warn', `wide: ${wide.map(({ text }) => text).join(', ')}`, advice)
  return ok(`${trustProxy.header} is read from ${trustProxy.from.join(', ')}`)
}

function checkRedis({ redis }: Facts): readonly Finding[] {
  if (redis === null) return []
  if (redis === 'up') return ok('answers')
  const [detail, mend] = REDIS_ADVICE[redis]
  return found('fail', detail, mend)
}

/** In the order in which they are printed. One that does not apply finds nothing. */
export const CHECKS: readonly Check[] = [
  { name: 'configuration', run: checkConfiguration },
  { name: 'secret', run: checkSecret },
  { name: 'master key', run: checkMasterKey },
  { name: 'database', run: checkDatabase },
  { name: 'migrations', run: checkMigrations },
  { name: 'old secrets', run: checkRows },
  { name: 'audit log', run: checkAudit },
  { name: 'clock', run: checkClock },
  { name: 'file modes', run: checkFiles },
  { name: 'usage journal', run: checkJournal },
  { name: 'proxies', run: checkProxies },
  { name: 'redis', run: checkRedis },
]
