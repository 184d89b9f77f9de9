/** `rediss://`: a server is believed by its certificate only. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { join } from 'node:path'
import { askRedis } from '../../src/cli/doctor/redis.ts'
import { REASONS } from '../../src/cluster/redis-diagnosis.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type PrivateServer, startPrivateServer } from '../support/servers/private-server.ts'
import { REDIS, requireProgram } from '../support/servers/programs.ts'
import { describeWithRedis } from './support.ts'

const directory = createDatabaseDirectory('machine-auth-tls')
const pathOf = (name: string) => join(directory, name)

async function openssl(...args: readonly string[]): Promise<void> {
  const child = Bun.spawn(['openssl', ...args], { cwd: directory, stdout: 'ignore', stderr: 'pipe' })
  const said = new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(`openssl ${args[0]}: ${await said}`)
}

/** A certificate for some names, signed by an authority of the test's own. */
async function writeCertificate(name: string, names: string): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=redis')
  await Bun.write(pathOf(`${name}.ext`), `subjectAltName=${names}`)
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`]
  await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-days', '2', '-out', `${name}.pem`)
}

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

async function startTlsRedis(certificate: string): Promise<PrivateServer> {
  const port = await freePort()
  const files = ['--tls-cert-file', pathOf(`${certificate}.pem`), '--tls-key-file', pathOf(`${certificate}.key`)]
  return startPrivateServer({
    url: `rediss://127.0.0.1:${port}`,
    port,
    command: [
      ...[requireProgram('redis-server', REDIS), '--bind', '127.0.0.1', '--port', '0', '--tls-port', String(port)],
      ...[...files, '--tls-ca-cert-file', pathOf('ca.pem'), '--tls-auth-clients', 'no', '--save', ''],
    ],
    answers: () => isOpen(port),
  })
}

const LINK = JSON.stringify(join(import.meta.dir, '../../src/cluster/redis-link.ts'))
const BELL = JSON.stringify(join(import.meta.dir, '../../src/cluster/redis-bell.ts'))

/** What a process with some environment makes of a URL: certificates are read once, when it starts. */
async function linkIn(env: Readonly<Record<string, string>>, url: string): Promise<unknown> {
  const script = `
    const { RedisLink } = await import(${LINK})
    const { RedisBell } = await import(${BELL})
    const url = ${JSON.stringify(url)}
    const warnings = []
    const link = new RedisLink({ url, timeout: 2000, warn: (message) => warnings.push(message) })
    link.start()
    await link.attempted
    const said = await link.send('PING', []).catch((error) => error.name)
    const bell = new RedisBell({ link, url, channel: 'tls', timeout: 2000, warn: () => undefined })
    let isHeard = false
    if (link.isUp) {
      isHeard = await new Promise((resolve) => {
        bell.start(() => resolve(true))
        const ringing = setInterval(() => bell.ring({ kind: 'key', subject: 'k1' }), 20)
        setTimeout(() => resolve(false), 10000).unref()
        ringing.unref()
      })
    }
    // Why it is away is found out first.
    for (let looks = 0; !link.isUp && warnings.length === 0 && looks < 500; looks += 1) await Bun.sleep(10)
    await bell.stop()
    await link.stop()
    console.log(JSON.stringify({ said, isHeard, warnings: warnings.map((warning) => warning.split('is away: ')[1]) }))
    process.exit()`
  const { NODE_EXTRA_CA_CERTS: _own, SSL_CERT_FILE: _other, ...rest } = process.env
  const child = Bun.spawn([process.execPath, '-e', script], {
    env: { ...rest, ...env },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  return JSON.parse(await new Response(child.stdout).text())
}

describeWithRedis('a link to Redis over TLS', () => {
  let trusted: PrivateServer
  let misnamed: PrivateServer

  beforeAll(async () => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    const extension = ['-addext', 'basicConstraints=critical,CA:TRUE']
    await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=CA', ...extension)
    await writeCertificate('trusted', 'DNS:localhost,IP:127.0.0.1')
    await writeCertificate('misnamed', 'DNS:other.example')
    trusted = await startTlsRedis('trusted')
    misnamed = await startTlsRedis('misnamed')
  }, 60_000)

  afterAll(async () => {
    await trusted.stop()
    await misnamed.stop()
    removeDirectory(directory)
  })

  const extra = () => ({ NODE_EXTRA_CA_CERTS: pathOf('ca.pem') })
  const WORKS = { said: 'PONG', isHeard: true, warnings: [] }
  const refusedFor = (why: string) => ({ said: 'RedisAwayError', isHeard: false, warnings: [why] })
  const UNTRUSTED = refusedFor(REASONS.untrusted)

  test('works when NODE_EXTRA_CA_CERTS has who signed the certificate, by name and by address', async () => {
    expect(await linkIn(extra(), trusted.url)).toEqual(WORKS)
    expect(await linkIn(extra(), `rediss://localhost:${trusted.port}`)).toEqual(WORKS)
  }, 60_000)

  test('refuses a server whose certificate nobody known signed', async () => {
    expect(await linkIn({}, trusted.url)).toEqual(UNTRUSTED)
  }, 60_000)

  test('refuses a server whose certificate is of another name', async () => {
    expect(await linkIn(extra(), misnamed.url)).toEqual(UNTRUSTED)
  }, 60_000)

  test('does not fall back to plain text, nor the other way round', async () => {
    expect(await linkIn(extra(), `redis://127.0.0.1:${trusted.port}`)).toEqual(refusedFor(REASONS.no_redis))
  }, 60_000)

  test('doctor tells a certificate that is not trusted from a server that is away', async () => {
    expect(await askRedis(trusted.url)).toBe('untrusted')
    expect(await askRedis(`redis://127.0.0.1:${trusted.port}`)).toBe('no_redis')
    expect(await askRedis('rediss://127.0.0.1:1')).toBe('refused')
  }, 60_000)
})
