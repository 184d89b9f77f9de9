/**
 * How fast usage is answered when there is much of it: `bun bench/usage.ts [events] [requests]`.
 *
 * A million requests of 30 days (10 keys, 10 routes, 4 statuses) are counted and written as any are, an hour at a time;
 * then the endpoints are asked over HTTP, one request after the other. On a SQLite file, and on PostgreSQL where a server
 * answers at `BENCH_POSTGRES` (`postgres://postgres@127.0.0.1:5432`).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SQL } from 'bun'
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../src/index.ts'
import { UsageRecorder } from '../src/recording/usage/recorder.ts'
import { openStorage } from '../src/storage/open.ts'
import { median, quantile } from './median.ts'

const EVENTS = Number(process.argv[2] ?? 1_000_000)
const REQUESTS = Number(process.argv[3] ?? 200)
const WARM_UP = 20
const KEYS = 10
const ROUTES = Array.from({ length: 10 }, (_, index) => `/api/resource-${index}/:id`)
const STATUSES = [200, 201, 404, 429] as const
const HOUR = 3_600_000
const HOURS = 30 * 24
const GOAL_MS = 50

const SERVER = process.env.BENCH_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432'
const SECRET = 'a-secret-of-the-bench-0123456789-abcdefghij'
const MASTER_KEY = 'a-master-key-of-the-bench-0123456789-abcdef'

function progress(text: string): void {
  process.stderr.write(`\r${text.padEnd(60)}`)
}

/** Counts events through the recorder; its clock goes through the 30 days. */
async function record(database: string, keyIds: readonly string[], first: number): Promise<number> {
  const { storage, ready } = openStorage(database, { migrate: 'check' })
  await ready
  let now = first
  const recorder = new UsageRecorder({
    ...{ store: storage.usage, clock: () => now, warn: console.warn, flushInterval: HOUR, batchSize: 200 },
    journalDirectory: null,
  })
  const began = performance.now()
  const perHour = Math.ceil(EVENTS / HOURS)
  for (let hour = 0, event = 0; hour < HOURS; hour += 1) {
    now = first + hour * HOUR
    for (let index = 0; index < perHour && event < EVENTS; index += 1, event += 1) {
      // Steps that share no factor with the numbers of keys, routes and statuses meet all of their combinations.
      const key = keyIds[event % KEYS] ?? ''
      const route = ROUTES[Math.floor(event / KEYS) % ROUTES.length] ?? ''
      const status = STATUSES[Math.floor(event / (KEYS * ROUTES.length)) % STATUSES.length] ?? 200
      recorder.count(key, '', 'GET', route, status, (event % 97) / 10)
    }
    if (!(await recorder.flush())) throw new Error('The database did not take what was counted')
    progress(`recording: ${hour + 1} of ${HOURS} hours`)
  }
  const took = performance.now() - began
  await recorder.stop()
  await storage.close()
  return took
}

interface Times {
  readonly each: readonly number[]
  /** Processor time of this process per request, that of who asks included. */
  readonly cpu: number
}

async function timesOf(origin: string, paths: readonly string[]): Promise<Times> {
  const each: number[] = []
  let before = process.cpuUsage()
  for (let index = 0; index < WARM_UP + REQUESTS; index += 1) {
    const path = paths[index % paths.length] ?? ''
    if (index === WARM_UP) before = process.cpuUsage()
    const began = performance.now()
    const answer = await fetch(origin + path, { headers: { 'x-admin-key': MASTER_KEY } })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
    if (index >= WARM_UP) each.push(performance.now() - began)
  }
  const { user, system } = process.cpuUsage(before)
  return { each, cpu: (user + system) / 1000 / REQUESTS }
}

async function run(name: string, database: string): Promise<void> {
  const options = { database, secret: SECRET, masterKey: MASTER_KEY, docs: false, abuse: false } as const
  await using core = createMachineAuth(options, { warn: () => undefined, env: {}, cwd: tmpdir() })
  await core.ready
  const keyIds: string[] = []
  for (let index = 0; index < KEYS; index += 1) keyIds.push((await core.keys.create({ name: `key ${index}` })).key.id)
  const from = Math.floor(Date.now() / HOUR) * HOUR - (HOURS - 1) * HOUR
  const took = await record(database, keyIds, from)

  const app = new Elysia().use(machineAuth(core))
  app.listen({ port: 0, hostname: '127.0.0.1' })
  const origin = `http://127.0.0.1:${app.server?.port}`
  const span = `from=${new Date(from).toISOString()}&to=${new Date(from + HOURS * HOUR).toISOString()}`
  const asked: Readonly<Record<string, readonly string[]>> = {
    'usage by hour': keyIds.map((id) => `/auth/keys/${id}/usage?bucket=hour&${span}`),
    'usage by day': keyIds.map((id) => `/auth/keys/${id}/usage?bucket=day&${span}`),
    stats: ['/auth/stats'],
  }
  for (const [what, paths] of Object.entries(asked)) {
    progress(`${name}: ${what}`)
    const { each, cpu } = await timesOf(origin, paths)
    const cells = [name.padEnd(10), what.padEnd(13), median(each).toFixed(1).padStart(9)]
    progress('\r')
    console.log(
      [
        ...cells,
        quantile(each, 0.99).toFixed(1).padStart(7),
        cpu.toFixed(1).padStart(7),
        String(GOAL_MS).padStart(7),
      ].join(' '),
    )
  }
  console.log(
    `${name.padEnd(10)} recorded in ${(took / 1000).toFixed(1)} s, ${((took * 1000) / EVENTS).toFixed(2)} µs each`,
  )
  await app.stop(true)
}

async function runOnPostgres(): Promise<void> {
  const server = new SQL({ url: `${SERVER}/postgres`, max: 1, connectionTimeout: 2 })
  const name = `machine_auth_bench_${process.pid}`
  try {
    await server.unsafe(`create database ${name}`)
  } catch {
    console.log('postgresql no server answers')
    return
  }
  try {
    await run('postgresql', `${SERVER}/${name}`)
  } finally {
    await server.unsafe(`drop database if exists ${name} with (force)`)
    await server.close()
  }
}

console.log(`bun ${Bun.version}, ${EVENTS} events, ${REQUESTS} requests each, ms`)
console.log('database   endpoint         median     p99     CPU    goal')
const directory = mkdtempSync(join(tmpdir(), 'machine-auth-bench-'))
await run('sqlite', `sqlite:${join(directory, 'bench.db')}`)
rmSync(directory, { recursive: true, force: true })
await runOnPostgres()
