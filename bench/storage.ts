/**
 * What a key costs that is in no cache: `bun bench/storage.ts [--quick]`.
 *
 * In process and in turn. PostgreSQL is measured where one answers at `BENCH_POSTGRES`
 * (`postgres://postgres@127.0.0.1:5432`).
 */
import { createPrintingReport, type Report } from './report.ts'
import { createKeyFiles } from './scale/database.ts'
import { timeInSlices } from './slices.ts'
import { createPostgresContest, SERVER } from './storage/postgres.ts'
import { type Contest, createSqliteContest, nameOf, WAYS, type Way } from './storage/sqlite.ts'

const GROUP = 'storage'
const QUICK = { sizes: [1000, 10_000], slices: 20, calls: 100, onPostgres: 1000 }
const FULL = { sizes: [1000, 100_000, 1_000_000], slices: 150, calls: 200, onPostgres: 100_000 }

type Extent = typeof FULL

const µs = (ns: number) => `${(ns / 1000).toFixed(1)} µs`

async function measureSqlite(report: Report, { sizes, slices, calls }: Extent, isQuick: boolean): Promise<void> {
  using files = createKeyFiles(!isQuick, (text) => report.progress(text))
  const contests: Contest[] = []
  for (const size of sizes) contests.push(await createSqliteContest(await files.withKeys(size), size, calls))
  report.progress('keys that are in no cache, on SQLite')
  const times = await timeInSlices(
    contests.flatMap(({ contenders }) => contenders),
    { slices, calls },
  )
  await Promise.all(contests.map((contest) => contest.close()))
  const timeOf = (way: Way, size: number) => times.get(nameOf(way, size)) ?? Number.NaN
  for (const size of sizes) {
    for (const way of Object.keys(WAYS) as Way[]) {
      report.add({ group: GROUP, name: nameOf(way, size), value: timeOf(way, size) / 1000, unit: 'µs' })
    }
  }
  const [fewer = 0, many = 0] = sizes.slice(-2)
  const keys = `${fewer.toLocaleString('en')} keys`
  report.add({
    ...{ group: GROUP, name: 'cold key, to a prepared Drizzle select', unit: 'ratio' },
    value: timeOf('stored', fewer) / timeOf('select', fewer),
    goal: { atMost: 1.2 },
    note: `what storage has of it, ${µs(timeOf('stored', fewer))}, to a select of the same joins that SQLite compiles once, ${µs(timeOf('select', fewer))}; ${keys}`,
  })
  report.add({
    ...{ group: GROUP, name: 'the whole of a cold key, to the same select', unit: 'ratio' },
    value: timeOf('cold', fewer) / timeOf('select', fewer),
    note: `parsed, looked up, hashed, its principal made and remembered, ${µs(timeOf('cold', fewer))}; ${keys}`,
  })
  const growth = (way: Way) => timeOf(way, many) / timeOf(way, fewer)
  report.add({
    ...{ group: GROUP, name: 'cold key of a million, to one of a hundred thousand', unit: 'ratio' },
    value: growth('cold'),
    goal: { atMost: 1.3 },
    note: `${isQuick ? 'in short with fewer; ' : ''}bun:sqlite ${growth('bare').toFixed(2)}, ${µs(timeOf('cold', many))}`,
  })
}

async function measurePostgres(report: Report, { onPostgres, slices, calls }: Extent): Promise<void> {
  report.progress('keys that are in no cache, on PostgreSQL')
  const contest = await createPostgresContest(onPostgres, calls).catch(() => null)
  if (contest === null) return report.progress(`no PostgreSQL answers at ${new URL(SERVER).host}`)
  const times = await timeInSlices([contest.select, contest.stored], { slices, calls })
  await contest.close()
  const [select = Number.NaN, stored = Number.NaN] = [times.get('select'), times.get('stored')]
  report.add({
    ...{ group: GROUP, name: 'keys.findWithOwner on PostgreSQL, to a prepared Drizzle select', unit: 'ratio' },
    value: stored / select,
    goal: { atMost: 1.2 },
    note: `${µs(stored)} to ${µs(select)}; ${onPostgres.toLocaleString('en')} keys`,
  })
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const extent = isQuick ? QUICK : FULL
  await measureSqlite(report, extent, isQuick)
  await measurePostgres(report, extent)
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
