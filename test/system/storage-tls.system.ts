/** PostgreSQL by TLS: what is encrypted, whom it trusts, and what it says when it does not. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'bun'
import { DatabaseStartError } from '../../src/storage/drizzle/postgres-start-error.ts'
import { openStorage } from '../../src/storage/open.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { askPostgres } from '../support/servers/postgres-process.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { giveToUser } from '../support/servers/programs.ts'

const directory = mkdtempSync(join(tmpdir(), 'machine-auth-tls-'))
const ca = join(directory, 'ca.crt')
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function openssl(...args: readonly string[]): void {
  const { exitCode, stderr } = spawnSync(['openssl', ...args], { cwd: directory, stdout: 'ignore', stderr: 'pipe' })
  if (exitCode !== 0) throw new Error(`openssl: ${stderr.toString()}`)
}

/** Makes a certificate for some hosts, signed by the one that is trusted. */
function makeCertificate(name: string, hosts: string): void {
  writeFileSync(join(directory, `${name}.ext`), `subjectAltName=${hosts}\n`)
  openssl('req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`]
  openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signed)
}

let server: PrivateServer

async function serveWith(name: string): Promise<void> {
  for (const statement of [
    `alter system set ssl_cert_file = '${join(directory, `${name}.crt`)}'`,
    `alter system set ssl_key_file = '${join(directory, `${name}.key`)}'`,
    'alter system set ssl = on',
  ]) {
    await askPostgres(server.url, statement)
  }
  await server.kill()
  await server.start()
}

beforeAll(async () => {
  openssl('req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Test CA')
  makeCertificate('own', 'IP:127.0.0.1,DNS:localhost')
  makeCertificate('other', 'DNS:other.example')
  giveToUser(directory, ...['own.key', 'own.crt', 'other.key', 'other.crt'].map((file) => join(directory, file)))
  server = await startPostgres()
}, 60_000)

afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** `plain` or `encrypted` as the server sees it, or what the opening rejects with. */
async function connect(query: string, file: string | null): Promise<string> {
  const options = { poolSize: 1, timeout: 5000, prepare: true, ca: file }
  const { storage, ready } = openStorage(server.url + query, { migrate: 'auto', postgres: options })
  try {
    await ready
    const seen = `select count(*) filter (where ssl)::int as encrypted from pg_stat_ssl join pg_stat_activity using (pid)
      where pid <> pg_backend_pid() and datname = current_database()`
    const [row] = await askPostgres(server.url, seen)
    return (row as { encrypted: number }).encrypted > 0 ? 'encrypted' : 'plain'
  } catch (error) {
    return error instanceof DatabaseStartError ? error.trouble : String(error)
  } finally {
    await storage.close()
  }
}

const UNTRUSTED = 'certificate'
const NO_TLS = 'no_tls'
const OTHER_HOST = 'misnamed'

describe('a server without TLS', () => {
  test.each([
    { query: '?sslmode=prefer', trust: 'the system', outcome: 'plain' },
    { query: '?sslmode=require', trust: 'the system', outcome: NO_TLS },
    { query: '', trust: 'our file', outcome: NO_TLS },
    { query: '?sslmode=prefer', trust: 'our file', outcome: NO_TLS },
  ])('by $query, trusting $trust, is $outcome', async ({ query, trust, outcome }) => {
    expect(await connect(query, trust === 'our file' ? ca : null)).toBe(outcome)
  })
})

describe('a server with a certificate of its name', () => {
  beforeAll(() => serveWith('own'))

  test.each([
    { query: '', trust: 'the system', outcome: 'plain' },
    { query: '?sslmode=disable', trust: 'the system', outcome: 'plain' },
    { query: '?sslmode=prefer', trust: 'the system', outcome: 'encrypted' },
    { query: '?sslmode=allow', trust: 'the system', outcome: 'encrypted' },
    { query: '?sslmode=require', trust: 'the system', outcome: 'encrypted' },
    { query: '?sslmode=verify-ca', trust: 'the system', outcome: UNTRUSTED },
    { query: '?sslmode=verify-full', trust: 'the system', outcome: UNTRUSTED },
    { query: '?sslmode=prefer', trust: 'our file', outcome: 'encrypted' },
    { query: '', trust: 'our file', outcome: 'encrypted' },
    { query: '?sslmode=require', trust: 'our file', outcome: 'encrypted' },
    { query: '?sslmode=verify-full', trust: 'our file', outcome: 'encrypted' },
    { query: `?sslmode=verify-full&sslrootcert=${ca}`, trust: 'the system', outcome: 'encrypted' },
  ])('by $query, trusting $trust, is $outcome', async ({ query, trust, outcome }) => {
    expect(await connect(query, trust === 'our file' ? ca : null)).toBe(outcome)
  })

  test('is not reached when the file is missing', async () => {
    expect(await connect('', join(directory, 'missing.crt'))).toBe('ca')
  })
})

describe('a server with a certificate of another name', () => {
  beforeAll(() => serveWith('other'))

  test.each([
    { query: '?sslmode=require', trust: 'the system', outcome: 'encrypted' },
    { query: '?sslmode=prefer', trust: 'the system', outcome: 'encrypted' },
    { query: '', trust: 'our file', outcome: OTHER_HOST },
    { query: '?sslmode=prefer', trust: 'our file', outcome: OTHER_HOST },
    { query: '?sslmode=require', trust: 'our file', outcome: OTHER_HOST },
    { query: '?sslmode=verify-full', trust: 'our file', outcome: OTHER_HOST },
    { query: '?sslmode=verify-ca', trust: 'our file', outcome: 'encrypted' },
  ])('by $query, trusting $trust, is $outcome', async ({ query, trust, outcome }) => {
    expect(await connect(query, trust === 'our file' ? ca : null)).toBe(outcome)
  })
})
