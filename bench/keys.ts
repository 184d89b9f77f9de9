/**
 * What a page of keys costs with few and with many keys, in µs: `bun bench/keys.ts [--quick]`.
 *
 * Each list is asked for over HTTP (without a socket) and, as the command line does, of the core, on an SQLite file. A
 * page should cost the same however many keys there are: beside it stands its cost with the fewest.
 */
import { Database } from 'bun:sqlite'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../src/index.ts'
import { openStorage } from '../src/storage/open.ts'
import { median } from './median.ts'
import { createPrintingReport, type Report } from './report.ts'

const SIZES = [100, 10_000, 100_000] as const
const QUICK_SIZES = [100, 1000] as const
const ROUNDS = 200
const ORGANIZATIONS = 20
const MASTER_KEY = 'm4Tq9sXv1BnK7wEy3GzP8cLd5RfH2jUa'
const SECRET = 'q7Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ5a'

const organizationOf = (index: number) => `org_${String(index % ORGANIZATIONS).padStart(16, '0')}`

function rowOf(index: number) {
  const id = String(index).padStart(16, '0')
  const name = `Key ${(index * 7919) % 1_000_003}`
  return {
    id: `key_${id}`,
    name,
    prefix: `mac_live_${id}`,
    environment: 'live',
    hash: `hash ${id}`,
    pepper: 'none',
    organization_id: organizationOf(index),
    permissions: '[]',
    ip_allowlist: '[]',
    enabled: 1,
    created_at: 1_700_000_000_000 + index,
    created_by: 'system',
    search_text: name.toLowerCase(),
  }
}

/** In one transaction: storage's own verb waits for the disk each time. */
async function fill(file: string, from: number, to: number): Promise<void> {
  const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
  await ready
  await storage.close()
  const client = new Database(file)
  const columns = Object.keys(rowOf(0))
  const insert = client.prepare(
    `insert into machine_auth_api_keys (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
  )
  client.transaction(() => {
    for (let index = from; index < to; index++) insert.run(...Object.values(rowOf(index)))
  })()
  client.close()
}

/** Answers µs per call, the median. */
async function time(work: () => Promise<unknown>): Promise<number> {
  for (let round = 0; round < 20; round++) await work()
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const began = Bun.nanoseconds()
    await work()
    times.push(Bun.nanoseconds() - began)
  }
  return median(times) / 1000
}

async function measure(database: string): Promise<ReadonlyMap<string, number>> {
  const options = { database, secret: SECRET, masterKey: MASTER_KEY, docs: false } as const
  await using core = createMachineAuth(options, { warn: () => undefined })
  await core.ready
  const app = new Elysia().use(machineAuth(core))
  const get = (path: string) => async () => {
    const answer = await app.handle(
      new Request(`http://localhost/auth${path}`, { headers: { 'x-admin-key': MASTER_KEY } }),
    )
    if (answer.status !== 200) throw new Error(await answer.text())
    await answer.text()
  }
  const { nextCursor } = await core.keys.list({}, { limit: 50 })
  const cursor = encodeURIComponent(nextCursor ?? '')
  const lists: Readonly<Record<string, () => Promise<unknown>>> = {
    'GET /keys': get('/keys'),
    'GET /keys, second page': get(`/keys?cursor=${cursor}`),
    'GET /keys?sort=name': get('/keys?sort=name&order=asc'),
    'GET /keys?organizationId=…': get(`/keys?organizationId=${organizationOf(0)}`),
    'core.keys.list()': () => core.keys.list(),
    'core.keys.findByPrefix()': () => core.keys.findByPrefix('0000000000000042'),
  }
  const times = new Map<string, number>()
  for (const [name, work] of Object.entries(lists)) times.set(name, await time(work))
  return times
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const file = join(tmpdir(), `machine-auth-bench-${process.pid}.db`)
  let fewest: ReadonlyMap<string, number> | null = null
  try {
    let filled = 0
    for (const size of isQuick ? QUICK_SIZES : SIZES) {
      report.progress(`${size.toLocaleString('en')} keys`)
      await fill(file, filled, size)
      filled = size
      const times = await measure(`sqlite:${file}`)
      fewest ??= times
      for (const [list, value] of times) {
        const ratio = value / (fewest.get(list) ?? Number.NaN)
        const note = times === fewest ? 'the fewest' : `${ratio.toFixed(2)} times that with the fewest`
        report.add({ group: 'pages', name: `${list}, ${size.toLocaleString('en')} keys`, value, unit: 'µs', note })
      }
    }
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
  }
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
