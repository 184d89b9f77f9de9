/** The image of examples/deployment as its Dockerfile says to make it, with PostgreSQL and Redis as compose.yaml gives them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import {
  commandOf,
  DEPLOYMENT,
  interpolate,
  readCompose,
  readDeployment,
  readDockerfile,
} from '../examples/deployment-files.ts'
import { findFreePort, ROOT } from '../examples/support.ts'
import { lookThroughText } from '../support/credentials/report.ts'
import { issued } from '../support/credentials/watch.ts'
import { filesIn, removeDirectory } from '../support/directories.ts'
import { isPostgresInstalled, startPostgres } from '../support/servers/postgres.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { isRedisInstalled } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'

const isRequired = process.env.REQUIRE_SERVICES === '1'
const SKIPPED = 'PostgreSQL or Redis is not installed (REQUIRE_SERVICES=1 makes this a failure)'
const VALUES = {
  MACHINE_AUTH_SECRET: 'd4Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ5e',
  MACHINE_AUTH_MASTER_KEY: 'e5Tq9sXv1BnK7wEy3GzP8cLd5RfH2jUf',
  POSTGRES_PASSWORD: 'ab12cd34',
  REDIS_PASSWORD: 'cd34ef56',
}
issued.note('root secret', VALUES.MACHINE_AUTH_SECRET, true)
issued.note('master key', VALUES.MACHINE_AUTH_MASTER_KEY, true)

const instructions = readDockerfile(readDeployment('Dockerfile'))
const compose = readCompose()
/** ms until something that must happen has happened, on a machine that is busy with others. */
const PATIENCE = 20_000

const place = mkdtempSync(join(tmpdir(), 'machine-auth-image-'))
const context = join(place, 'context')
const programs = join(place, 'bin')

function succeed(command: readonly string[], cwd: string): void {
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH: `${programs}:${PATH}`, HOME }
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd, env })
  if (exitCode !== 0) throw new Error(`${command.join(' ')} failed:\n${stdout}${stderr}`)
}

/** A path of a stage, relative ones below its working directory. */
const inStage = (stage: number, path: string) =>
  join(place, `stage-${stage}`, path.startsWith('/') ? path : `/app/${path}`)

/** Does what the instructions say, with a directory for each stage. @returns that of the image */
function buildImage(): string {
  const names = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text.split(' AS ')[1])
  for (const { name, text, stage } of instructions) {
    if (name === 'WORKDIR') mkdirSync(inStage(stage, text), { recursive: true })
    if (name === 'RUN') succeed(['sh', '-c', text], inStage(stage, '.'))
    if (name !== 'COPY') continue
    const [, from, rest = ''] = /^(?:--from=(\w+) )?(.*)$/.exec(text) ?? []
    const parts = rest.split(' ')
    const target = parts.pop() ?? ''
    for (const pattern of parts) {
      const sources = from === undefined ? globSync(join(context, pattern)) : [inStage(names.indexOf(from), pattern)]
      for (const source of sources) {
        cpSync(source, inStage(stage, target.endsWith('/') ? target + basename(source) : target), { recursive: true })
      }
    }
  }
  return inStage(instructions.at(-1)?.stage ?? 0, '.')
}

/** As whom the image runs, where this may be chosen. */
function asImageUser(command: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [...command]
  const [uid, gid] = instructions.findLast(({ name }) => name === 'USER')?.text.split(':') ?? []
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', ...command]
}

/** What runs, to be ended in any case. */
const running: { readonly name: string; readonly child: Bun.Subprocess<'ignore', 'pipe', 'pipe'> }[] = []

function run(name: string, command: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
  const child = Bun.spawn([...command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push({ name, child })
  return child
}

let image = ''
let postgres: PrivateServer
let redisPort = 0

async function startRedisOfCompose(): Promise<void> {
  redisPort = await findFreePort()
  const [shell = '', flag = '', text = ''] = compose.redis?.command ?? []
  // A port of its own, and of this machine only; all else as it is there.
  const command = interpolate(text, VALUES).replace('<<END', `<<END\nport ${redisPort}\nbind 127.0.0.1`)
  const { PATH = '' } = process.env
  const { REDIS_PASSWORD } = VALUES
  run('redis', asImageUser([shell, flag, command]), place, { PATH: `${PATH}:/usr/sbin`, REDIS_PASSWORD })
  await until(() => askRedis(['ping']).then((answer) => answer === 'PONG'), PATIENCE)
}

async function askRedis(args: readonly string[], password: string = VALUES.REDIS_PASSWORD): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', ...(password === '' ? {} : { REDISCLI_AUTH: password }) }
  const child = Bun.spawn(['redis-cli', '-h', '127.0.0.1', '-p', String(redisPort), ...args], { env, stderr: 'ignore' })
  return (await new Response(child.stdout).text()).trim()
}

/** The environment of the app in compose.yaml, with the hosts and ports of this machine. */
function environment(port: number): Readonly<Record<string, string>> {
  const given = Object.entries(compose.app?.environment ?? {}).map(([name, text]) => {
    const value = interpolate(text, VALUES)
    return [
      name,
      value.replace('@postgres:5432', `@127.0.0.1:${postgres.port}`).replace('@redis:6379', `@127.0.0.1:${redisPort}`),
    ]
  })
  const { PATH = '' } = process.env
  return { ...Object.fromEntries(given), PATH: `${programs}:${PATH}`, NODE_ENV: 'production', PORT: String(port) }
}

interface Replica {
  readonly origin: string
  readonly env: Readonly<Record<string, string>>
  readonly child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
}

async function startReplica(): Promise<Replica> {
  const port = await findFreePort()
  const env = environment(port)
  const child = run(`replica on ${port}`, asImageUser(commandOf(instructions, 'CMD')), image, env)
  const origin = `http://127.0.0.1:${port}`
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${await new Response(child.stderr).text()}`)
    return fetch(`${origin}/auth/health/ready`).then(
      ({ status }) => status === 200,
      () => false,
    )
  }, PATIENCE)
  return { origin, env, child }
}

const manage = (origin: string, path: string, body: unknown) =>
  fetch(origin + path, {
    method: 'POST',
    headers: { 'x-admin-key': VALUES.MACHINE_AUTH_MASTER_KEY, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const use = (origin: string, key: string) =>
  fetch(`${origin}/data`, { headers: { 'x-api-key': key } }).then(async (answer) => {
    await answer.arrayBuffer()
    return answer.status
  })

if (!isRequired && !(isPostgresInstalled && isRedisInstalled)) {
  test.skip(SKIPPED, () => undefined)
} else {
  beforeAll(async () => {
    // Whoever the image runs as must come to it.
    chmodSync(place, 0o755)
    mkdirSync(programs)
    symlinkSync(process.execPath, join(programs, 'bun'))
    cpSync(DEPLOYMENT, context, { recursive: true })
    // Types are for compilers, and take their time.
    succeed(['bun', 'pm', 'pack', '--ignore-scripts', '--quiet', '--destination', context], ROOT)
    image = buildImage()
    succeed(['chmod', '-R', 'a-w,a+rX', dirname(image)], place)
    postgres = await startPostgres()
    await using admin = new Bun.SQL(postgres.url, { max: 1 })
    await admin.unsafe(`create role machine_auth login password '${VALUES.POSTGRES_PASSWORD}'`)
    await admin.unsafe('create database machine_auth owner machine_auth')
    await startRedisOfCompose()
  }, 120_000)

  afterAll(async () => {
    for (const { name, child } of running) {
      child.kill('SIGKILL')
      await child.exited
      lookThroughText(name, await new Response(child.stdout).text())
      lookThroughText(name, await new Response(child.stderr).text())
    }
    await postgres.stop()
    // A copy of the package and of its dependencies: nobody wrote to it, which is tested.
    rmSync(join(place, 'context'), { recursive: true, force: true })
    for (const { stage } of instructions) rmSync(join(place, `stage-${stage}`), { recursive: true, force: true })
    removeDirectory(place)
  }, 60_000)

  describe('the image', () => {
    test('holds production packages, and none of the tools', () => {
      const modules = join(image, 'node_modules')
      expect(globSync(join(modules, '{elysia,elysia-machine-auth,cockatiel}/package.json'))).toHaveLength(3)
      expect(globSync(join(modules, '{@biomejs,drizzle-kit,playwright-core,@electric-sql}'))).toEqual([])
    })

    test('has no file that holds a secret', () => {
      const own = filesIn(image).filter((file) => !file.includes('node_modules'))
      expect(own.map((file) => basename(file)).toSorted()).toEqual(['package.json', 'server.ts'])
    })
  })

  describe('two replicas', () => {
    let replicas: readonly Replica[]
    beforeAll(async () => {
      replicas = await Promise.all([startReplica(), startReplica()])
    }, 60_000)

    test('are well, says the health check', async () => {
      for (const { env } of replicas) {
        const child = Bun.spawn(asImageUser(commandOf(instructions, 'HEALTHCHECK')), { cwd: image, env })
        expect(await child.exited).toBe(0)
      }
    })

    test('serve on files that they cannot write', async () => {
      const before = filesIn(image).length
      const [first, second] = replicas.map(({ origin }) => origin)
      const made = await manage(first ?? '', '/auth/keys', { name: 'replica' })
      expect(made.status).toBe(201)
      const { key, rawKey } = (await made.json()) as { key: { id: string }; rawKey: string }
      expect([await use(first ?? '', rawKey), await use(second ?? '', rawKey)]).toEqual([200, 200])

      expect((await manage(first ?? '', `/auth/keys/${key.id}/revoke`, {})).status).toBe(200)
      expect(await use(first ?? '', rawKey)).toBe(401)
      expect(await until(async () => (await use(second ?? '', rawKey)) === 401, PATIENCE)).toBeLessThan(1000)
      expect(filesIn(image)).toHaveLength(before)
      // Both count and hear there, and did not go on by themselves.
      expect(await askRedis(['keys', 'machine-auth:l:*'])).toMatch(/^machine-auth:l:[\w-]{27}$/m)
      expect(await askRedis(['pubsub', 'numsub', 'machine-auth:changes'])).toEndWith('2')
    })

    test('ask for the password of Redis, which no list of processes shows', async () => {
      expect(await askRedis(['ping'], '')).toContain('NOAUTH')
      expect(await askRedis(['config', 'get', 'maxmemory-policy'])).toContain('noeviction')
      const lists = Bun.spawnSync(['ps', '-eo', 'args'])
      expect(lists.stdout.toString()).not.toContain(VALUES.REDIS_PASSWORD)
    })

    test('end by themselves when they are told to', async () => {
      for (const { child } of replicas) child.kill('SIGTERM')
      expect(await Promise.all(replicas.map(({ child }) => child.exited))).toEqual([0, 0])
    }, 30_000)
  })

  test('Redis ends when its container is told to, and not only when it is killed', async () => {
    const redis = running.find(({ name }) => name === 'redis')?.child
    redis?.kill('SIGTERM')
    expect(await redis?.exited).toBe(0)
  })
}
