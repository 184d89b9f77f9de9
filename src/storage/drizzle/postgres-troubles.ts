/** Why PostgreSQL cannot be reached, entered or used, in the words of people. */
import { hostOf, reach } from '../../lib/reach.ts'
import { codesOf, driverError } from './failures.ts'

export type PostgresTrouble =
  | 'refused'
  | 'unknown_host'
  | 'unreachable'
  | 'silent'
  | 'lost'
  | 'stopping'
  | 'full'
  | 'password'
  | 'user'
  | 'no_database'
  | 'right'
  | 'no_tls'
  | 'certificate'
  | 'misnamed'
  | 'ca'
  | 'prepared'

/** ms that looking at the way takes at most. */
const PATIENCE = 1000
const DEFAULT_PORT = '5432'

/** The first row that matches counts. */
const CODES: readonly (readonly [RegExp, PostgresTrouble])[] = [
  [/^(ERR_POSTGRES_CONNECTION_TIMEOUT|DATABASE_TIMEOUT|57014|ETIMEDOUT|CONNECT_TIMEOUT)$/, 'silent'],
  [/^(ERR_POSTGRES_CONNECTION_REFUSED|ECONNREFUSED)$/, 'refused'],
  [/^(ENOTFOUND|EAI_)/, 'unknown_host'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'unreachable'],
  [/^57P0[1-5]$/, 'stopping'],
  [/^53...$/, 'full'],
  [/^28P01$/, 'password'],
  [/^28...$/, 'user'],
  [/^3D000$/, 'no_database'],
  [/^42501$/, 'right'],
  [/^(ERR_POSTGRES_TLS_NOT_AVAILABLE|ERR_POSTGRES_TLS_UPGRADE_FAILED)$/, 'no_tls'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'misnamed'],
  [/^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERR_TLS|ERR_POSTGRES_TLS)/, 'certificate'],
  [/^(ERR_BORINGSSL|ENOENT|EACCES|EISDIR)$/, 'ca'],
  [/^(26000|42P05)$/, 'prepared'],
  [/^(08...$|ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME)|ECONN|EPIPE|CONNECTION_)/, 'lost'],
]

/** What cannot be done, and why. */
const WORDS: Readonly<Record<PostgresTrouble, readonly [what: string, why: string]>> = {
  refused: ['cannot be reached', 'connection refused'],
  unknown_host: ['cannot be reached', 'no host has this name'],
  unreachable: ['cannot be reached', 'no way leads to this host'],
  silent: ['cannot be reached', 'no answer in time'],
  lost: ['cannot be reached', 'the connection was closed'],
  stopping: ['cannot be entered', 'the server is starting or stopping'],
  full: ['cannot be entered', 'it has no room: too many connections, no memory or no disk'],
  password: ['cannot be entered', 'the password of the user is missing or refused'],
  user: ['cannot be entered', 'the user is unknown, or pg_hba.conf does not let it in from here'],
  no_database: ['cannot be entered', 'there is no database of this name'],
  right: ['cannot be used', 'the user lacks a right (permission denied)'],
  no_tls: ['cannot be entered', 'sslmode or postgres.ca demands TLS, which the server does not offer'],
  certificate: ['cannot be entered', 'its certificate is not trusted'],
  misnamed: ['cannot be entered', 'its certificate is of another name than the host of the URL'],
  ca: ['cannot be reached', 'the file of postgres.ca is missing, or holds no certificate in PEM'],
  prepared: ['cannot be used', 'a prepared statement is lost or there twice, as behind a pooler such as PgBouncer'],
}

/** The option to look at. */
const OPTIONS: Readonly<Partial<Record<PostgresTrouble, string>>> = {
  ca: 'postgres.ca',
  prepared: 'postgres.prepare: set postgres.prepare to false',
}

/** Null for an error that says nothing of the way to PostgreSQL. */
export function troubleOf(error: unknown): PostgresTrouble | null {
  const cause = driverError(error)
  const inner = cause instanceof Error && codesOf(cause).length === 0 ? cause.cause : cause
  const codes = codesOf(inner)
  return CODES.find(([pattern]) => codes.some((code) => pattern.test(code)))?.[1] ?? null
}

/** As above, and looks at the way where the driver only says that there is none. @param url null for an app's own */
export async function findTrouble(error: unknown, url: string | null): Promise<PostgresTrouble | null> {
  const trouble = troubleOf(error)
  if (url === null || (trouble !== 'refused' && trouble !== 'lost')) return trouble
  const parsed = new URL(url)
  const reached = await reach(hostOf(parsed), Number(parsed.port || DEFAULT_PORT), PATIENCE)
  return reached === 'open' ? 'lost' : reached
}

/** Where a database is, for people: never its user or its password. */
export function placeOf(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url)
  return `${protocol}//${hostname}:${port || DEFAULT_PORT}${pathname === '/' ? '' : pathname}`
}

/** What is wrong, as `cannot be reached: connection refused`. */
export function describeTrouble(trouble: PostgresTrouble): string {
  return WORDS[trouble].join(': ')
}

/** Only why, as `connection refused`. */
export function reasonOf(trouble: PostgresTrouble | null): string {
  return trouble === null ? 'it does not answer' : WORDS[trouble][1]
}

/** The option that a person looks at. */
export function optionOf(trouble: PostgresTrouble): string {
  return OPTIONS[trouble] ?? 'database (MACHINE_AUTH_DATABASE)'
}
