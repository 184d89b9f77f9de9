/** What single options cannot say: limits, combinations, and what works but deserves a look. */
import { parseCidr } from '../lib/ip.ts'
import { checkCluster } from './consistency-cluster.ts'
import { checkRecording } from './consistency-recording.ts'
import { demandsSecure } from './groups.ts'
import { quotedDuration, type Report } from './mistakes.ts'
import type { ResolvedOptions } from './resolved.ts'

const SECOND = 1000
const DAY = 86_400 * SECOND
const YEAR = 365 * DAY
const MAX_CLOCK_TOLERANCE = 60 * SECOND

function checkJwt({ jwt }: ResolvedOptions, report: Report): void {
  if (jwt.clockTolerance > MAX_CLOCK_TOLERANCE) {
    report.add(['jwt', 'clockTolerance'], quotedDuration(jwt.clockTolerance), "at most '60s'")
  }
  if (jwt.accessTtl > DAY) {
    report.warn(
      `jwt.accessTtl is ${quotedDuration(jwt.accessTtl)}: a leaked access token stays useful for more than a day.`,
    )
  }
  if (jwt.refreshTtl > YEAR) {
    report.warn(`jwt.refreshTtl is ${quotedDuration(jwt.refreshTtl)}: a login lasts for more than a year.`)
  }
  if (jwt.refreshTtl < jwt.accessTtl) report.warn('jwt.refreshTtl is shorter than jwt.accessTtl: nobody can refresh.')
}

function checkSessions({ sessions, production }: ResolvedOptions, report: Report): void {
  if (sessions.sameSite === 'none' && !sessions.secure) {
    report.add(['sessions', 'sameSite'], "'none' without secure", "'lax' or 'strict', or 'none' with secure: true")
  }
  if (demandsSecure(sessions.cookie) && !sessions.secure) {
    report.add(['sessions', 'cookie'], JSON.stringify(sessions.cookie), 'a name without that prefix, or secure: true')
  }
  if (production && !sessions.secure) {
    report.warn('sessions.secure is off outside development: whoever sees the traffic can take over sessions.')
  }
  if (sessions.idleTtl !== null && sessions.idleTtl > sessions.ttl) {
    report.warn('sessions.idleTtl is longer than sessions.ttl: it never ends a session.')
  }
}

/** A lifetime of nothing is legal, and useful in a test; in an application it is a slip. */
function checkLifetimes({ jwt, sessions }: ResolvedOptions, report: Report): void {
  const lifetimes = {
    'jwt.accessTtl': jwt.accessTtl,
    'jwt.refreshTtl': jwt.refreshTtl,
    'sessions.ttl': sessions.ttl,
    'sessions.idleTtl': sessions.idleTtl,
  }
  for (const [name, milliseconds] of Object.entries(lifetimes)) {
    if (milliseconds === 0) report.warn(`${name} is '0s': what it limits ends the moment it begins.`)
  }
}

function checkNetwork({ trustProxy, masterKeyAddresses, masterKeys }: ResolvedOptions, report: Report): void {
  if (trustProxy !== false && trustProxy.from.some((range) => parseCidr(range)?.bits === 0)) {
    report.warn('trustProxy.from holds every address: each client can claim to be any other.')
  }
  if (masterKeyAddresses.length > 0 && masterKeys.length === 0) {
    report.warn('masterKeyAddresses has no effect without masterKey.')
  }
}

function checkApiKeys({ apiKeys }: ResolvedOptions, report: Report): void {
  if (apiKeys.headers.length + apiKeys.schemes.length === 0) {
    report.add(['apiKeys', 'headers'], 'an empty list, as is apiKeys.schemes', 'at least one header or scheme')
  }
  const names = apiKeys.importKinds.map(({ name }) => name)
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue
    report.add(['apiKeys', 'importKinds', String(index)], `a second kind named '${name}'`, 'each name once')
  }
}

function checkUsers({ users }: ResolvedOptions, report: Report): void {
  if (users.findByEmail !== undefined && users.verifyPassword === undefined) {
    report.add(
      ['users', 'verifyPassword'],
      'nothing, but users.findByEmail',
      'a function (user, password) => boolean: only the app knows the passwords of the users it finds',
    )
  }
}

/** Reports contradictions between options, and warns of what is probably not meant. */
export function checkConsistency(options: ResolvedOptions, report: Report): void {
  checkJwt(options, report)
  checkSessions(options, report)
  checkLifetimes(options, report)
  checkNetwork(options, report)
  checkApiKeys(options, report)
  checkUsers(options, report)
  checkRecording(options, report)
  checkCluster(options, report)
}
