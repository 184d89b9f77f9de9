/**
 * How fast usage is answered when there is much of it: `bun bench/usage.ts [--quick] [events] [requests]`.
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
import { parseCount } from './arguments.ts'
import { median, quantile } from './median.ts'
import { createPrintingReport, type Report } from './report.ts'

const WARM_UP = 20
const KEYS = 10
const ROUTES = Array.from({ length: 10 }, (_, index) => `/api/resource-${index}/:id`)
const STATUSES = [200, 201, 404, 429] as const
const HOUR = 3_600_000
const HOURS = 30 * 24
/** ms */
const GOAL = { atMost: 50 }

const SERVER = process.env.BENCH_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432'
const SECRET = 'a-secret-of-the-bench-0123456789-abcdefghij'
const MASTER_KEY = 'a-master-key-of-the-bench-0123456789-abcdef'

interface Extent {
  readonly report: Report
  readonly events: number
  readonly requests: number
}

/** Counts events through the recorder; its clock goes through the 30 days. */
async function record(
  { report, events }: Extent,
  database: string,
  keyIds: readonly string[],
  first: number,
): Promise<number> {
  const { storage, ready } = openStorage(database, { migrate: 'check' })
  await ready
  let now = first
  const recorder = new UsageRecorder({
    ...{ store: storage.usage, clock: () => now, warn: console.warn, flushInterval: HOUR, batchSize: 200 },
    journalDirectory: null,
  })
  const began = performance.now()
  const perHour = Math.ceil(events / HOURS)
  for (let hour = 0, event = 0; hour < HOURS; hour += 1) {
    now = first + hour * HOUR
    for (let index = 0; index < perHour && event < events; index += 1, event += 1) {
      // Steps that share no factor with the numbers of keys, routes and statuses meet all of their combinations.
      const key = keyIds[event % KEYS] ?? ''
      const route = ROUTES[Math.floor(event / KEYS) % ROUTES.length] ?? ''
      const status = STATUSES[Math.floor(event / (KEYS * ROUTES.length)) % STATUSES.length] ?? 200
      recorder.count(key, '', 'GET', route, status, (event % 97) / 10)
    }
    if (!(await recorder.flush())) throw new Error('The database did not take what was counted')
    report.progress(`recording: ${hour + 1} of ${HOURS} hours`)
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

async function timesOf(origin: string, paths: readonly string[], requests: number): Promise<Times> {
  const each: number[] = []
  let before = process.cpuUsage()
  for (let index = 0; index < WARM_UP + requests; index += 1) {
    const path = paths[index % paths.length] ?? ''
    if (index === WARM_UP) before = process.cpuUsage()
    const began = performance.now()
    const answer = await fetch(origin + path, { headers: { 'x-admin-key': MASTER_KEY } })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
    if (index >= WARM_UP) each.push(performance.now() - began)
  }
  const { user, system } = process.cpuUsage(before)
  return { each, cpu: (user + system) / 1000 / requests }
}

async function measureOn(extent: Extent, name: string, database: string): Promise<void> {
  const { report, events, requests } = extent
  const options = { database, secret: SECRET, masterKey: MASTER_KEY, docs: false, abuse: false } as const
  await using core = createMachineAuth(options, { warn: () => undefined, env: {}, cwd: tmpdir() })
  await core.ready
  const keyIds: string[] = []
  for (let index = 0; index < KEYS; index += 1) keyIds.push((await core.keys.create({ name: `key ${index}` })).key.id)
  const from = Math.floor(Date.now() / HOUR) * HOUR - (HOURS - 1) * HOUR
  const took = await record(extent, database, keyIds, from)

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
    report.progress(`${name}: ${what}`)
    const { each, cpu } = await timesOf(origin, paths, requests)
    const note = `p99 ${quantile(each, 0.99).toFixed(1)} ms, processor time ${cpu.toFixed(1)} ms`
    report.add({ ...{ group: 'usage', name: `${name}, ${what}`, value: median(each), unit: 'ms' }, goal: GOAL, note })
  }
  const note = `${events.toLocaleString('en')} in ${(took / 1000).toFixed(1)} s`
  report.add({
    group: 'usage',
    name: `${name}, an event counted and written`,
    value: (took * 1000) / events,
    unit: 'µs',
    note,
  })
  await app.stop(true)
}

async function measureOnPostgres(extent: Extent): Promise<void> {
  const server = new SQL({ url: `${SERVER}/postgres`, max: 1, connectionTimeout: 2 })
  const name = `machine_auth_bench_${process.pid}`
  try {
    await server.unsafe(`create database ${name}`)
  } catch {
    // None answers: there is nothing to measure.
    await server.close()
    return
  }
  try {
    await measureOn(extent, 'PostgreSQL', `${SERVER}/${name}`)
  } finally {
    await server.unsafe(`drop database if exists ${name} with (force)`)
    await server.close()
  }
}

async function measureAll(extent: Extent): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'machine-auth-bench-'))
  try {
    await measureOn(extent, 'SQLite', `sqlite:${join(directory, 'bench.db')}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  await measureOnPostgres(extent)
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  await measureAll({ report, events: isQuick ? 20_000 : 1_000_000, requests: isQuick ? 20 : 100 })
}

if (import.meta.main) {
  const words = process.argv.slice(2)
  const report = createPrintingReport()
  if (words.includes('--quick')) await run(report, { isQuick: true })
  else {
    const [events = '1000000', requests = '200'] = words
    await measureAll({ report, events: parseCount(events, 'events'), requests: parseCount(requests, 'requests') })
  }
}
