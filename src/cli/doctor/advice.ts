/** What to do about a database or a Redis that cannot be used, by what is wrong with it. */
import type { PostgresTrouble } from '../../storage/drizzle/postgres-troubles.ts'
import type { LostFact, RedisState } from './facts.ts'

const NAMED_BY = 'MACHINE_AUTH_DATABASE or `database`'

const POSTGRES_ADVICE: Readonly<Record<PostgresTrouble, string>> = {
  refused: `see that it runs, listens there (listen_addresses, port), and that ${NAMED_BY} names its port`,
  unknown_host: `see the host in ${NAMED_BY}, and whether names are found from here (DNS)`,
  unreachable: 'see the network and the routes between here and the host',
  silent: 'see that it is not stopped, overloaded or behind a firewall',
  lost: 'see its log, and that the port is one of PostgreSQL or a pooler',
  stopping: 'wait until it has started, and see its log',
  full: 'see max_connections against the sum of all postgres.poolSize, and the room on its disk',
  password: `see the password in ${NAMED_BY}: \\password in psql sets another one`,
  user: `see the user in ${NAMED_BY}, and pg_hba.conf for this user, database, address and TLS`,
  no_database: `make it (createdb), or name another one in ${NAMED_BY}`,
  right: 'let the user use and make tables in its schema (GRANT USAGE, CREATE ON SCHEMA)',
  no_tls:
    'set ssl = on with a certificate in postgresql.conf, or give another sslmode where the network is yours alone',
  certificate: 'set postgres.ca to a PEM file with the certificates that sign it',
  misnamed: `name the host in ${NAMED_BY} as its certificate does`,
  ca: 'give postgres.ca a readable PEM file with the certificates that sign the one of the server',
  prepared: 'set postgres.prepare to false',
}

export function adviceOnDatabase(trouble: PostgresTrouble | null): string {
  return trouble === null ? `see that it runs, and that ${NAMED_BY} names it` : POSTGRES_ADVICE[trouble]
}

/** What is so, and what to do. Never the URL, which may hold a password. */
export const REDIS_ADVICE: Readonly<Record<Exclude<RedisState, 'up'>, readonly [detail: string, mend: string]>> = {
  refused: [
    'cannot be reached: connection refused',
    'see that it runs, and that MACHINE_AUTH_REDIS or `redis` names its port',
  ],
  unknown_host: ['cannot be reached: no host has this name', 'see the host in MACHINE_AUTH_REDIS or `redis`'],
  unreachable: ['cannot be reached: no way leads to its host', 'see the network and the routes between here and it'],
  silent: [
    'does not answer within 2 s',
    'see that it is not stopped or behind a firewall, and whether it takes redis:// or rediss://',
  ],
  untrusted: [
    'its certificate is not trusted, or of another name',
    'set NODE_EXTRA_CA_CERTS to a file with the certificates of whoever signed it',
  ],
  password_missing: ['asks for a password', 'give it in the URL: redis://user:password@host:6379'],
  password_wrong: ['refuses the user or the password of the URL', 'see what its ACL says (ACL LIST)'],
  refusing: ['answers, but not with this URL', 'see that it has the database and the user of the URL'],
  no_redis: ['answers as no Redis does', 'see the port, and whether it takes redis:// or rediss://'],
}

/** What gets rid of what nobody can use any more; the newest few are named. */
export function adviceOnLost({ count, keys, tokens }: LostFact): string {
  const ways = [
    ...(keys.length === 0 ? [] : [`machine-auth key revoke KEY (${keys.join(', ')})`]),
    ...(tokens.length === 0 ? [] : [`core.tokens.bearer.revoke(ID) (${tokens.join(', ')})`]),
  ]
  // Signing keys need nothing: they are history as soon as there is one of the new secret.
  if (ways.length === 0)
    return 'log in once under the new one, or call core.signingKeys.rotate(), which makes a signing key'
  const isMore = count > keys.length + tokens.length
  return `revoke what it made: ${ways.join('; ')}${isMore ? '; then look again, for there are more' : ''}`
}
