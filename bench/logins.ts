/**
 * Whether a flood of logins starves the rest: `bun bench/logins.ts [--quick]`.
 *
 * One server on any processor, as it would run; a known key is used as fast as it goes, and at the same load, alone and
 * beside logins from as many addresses as there are attempts. Passwords are hashed beside the event loop, so what is
 * lost to a flood is the processors' time.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ARGON2_MEMORY_KIB } from '../src/accounts/password-hash.ts'
import { Flood, type FloodFigures } from './logins/flood.ts'
import { type Fixtures, LOGIN_SERVER, type Look, type Word } from './logins/server.ts'
import { createPrintingReport, type Report } from './report.ts'
import { type Child, startChild } from './scale/child.ts'
import { type Load, runLoad } from './scale/load.ts'

const GROUP = 'logins'
const MB = 1_000_000
/** s, so that everything is compiled. */
const WARM_UP = 2
/** ms that a connection waits between requests where the load is to be the same. */
const PAUSE = 5

interface Measured {
  readonly fastest: Load
  /** At the same load. */
  readonly steady: Load
  readonly look: Look
}

interface Bench {
  readonly report: Report
  readonly server: Child<Word>
  readonly fixtures: Fixtures
  /** Of each run. */
  readonly seconds: number
}

async function lookAt(server: Child<Word>): Promise<Look> {
  const { look } = await server.ask('look')
  if (look === undefined) throw new Error('the server did not say how it does')
  return look
}

async function useKey({ fixtures: { port, rawKey } }: Bench, seconds: number, pause: number | null): Promise<Load> {
  const path = join(tmpdir(), `machine-auth-bench-logins-${process.pid}.lua`)
  writeFileSync(path, pause === null ? '' : `function delay() return ${pause} end`)
  try {
    const load = await runLoad({ port, seconds, script: ['-H', `x-api-key: ${rawKey}`, '-s', path], processors: null })
    if (load.refused > 0) throw new Error(`${load.refused} requests with a good key were refused`)
    return load
  } finally {
    rmSync(path, { force: true })
  }
}

/** The loop's delay is looked at where there is time left: at full load it is what requests wait for each other. */
async function measure(bench: Bench): Promise<Measured> {
  const fastest = await useKey(bench, bench.seconds, null)
  await lookAt(bench.server)
  const steady = await useKey(bench, bench.seconds, PAUSE)
  return { fastest, steady, look: await lookAt(bench.server) }
}

function addKey({ report }: Bench, name: string, { fastest, steady, look }: Measured): void {
  report.add({ group: GROUP, name: `a key ${name}`, value: fastest.requestsPerSecond, unit: 'requests/s' })
  const note = `at ${Math.round(steady.requestsPerSecond)} requests/s`
  report.add({ group: GROUP, name: `a key ${name}, median`, value: steady.median, unit: 'ms', note })
  report.add({ group: GROUP, name: `a key ${name}, p99`, value: steady.p99, unit: 'ms', note })
  report.add({ group: GROUP, name: `event loop ${name}, delay p99`, value: look.delayP99, unit: 'ms', note })
  report.add({ group: GROUP, name: `event loop ${name}, longest delay`, value: look.delayMost, unit: 'ms', note })
}

function addFlood({ report }: Bench, flood: FloodFigures, seconds: number): void {
  const { attempts, verified, refused, other, p99 } = flood
  if (other > 0) throw new Error(`${other} logins were answered neither yes, no nor later`)
  const running = Math.max(1, Math.floor(availableParallelism() / 2))
  report.add({ group: GROUP, name: 'logins that came', value: attempts / seconds, unit: 'requests/s' })
  const note = `${running} at once`
  report.add({ group: GROUP, name: 'logins that were looked at', value: verified / seconds, unit: 'requests/s', note })
  report.add({ group: GROUP, name: 'logins that were looked at, p99', value: p99, unit: 'ms', note: '64 wait' })
  const told = '429 with Retry-After'
  report.add({ group: GROUP, name: 'logins sent away, of all', value: refused / attempts, unit: 'ratio', note: told })
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const server = await startChild<Word>([LOGIN_SERVER], null)
  try {
    const { fixtures } = server.hello
    if (fixtures === undefined) throw new Error('the server did not say what to present')
    const bench: Bench = { report, server, fixtures, seconds: isQuick ? 2 : 8 }
    report.progress('a key alone')
    await useKey(bench, WARM_UP, null)
    const alone = await measure(bench)
    report.progress('a key beside a flood of logins')
    const flood = new Flood(fixtures)
    const start = performance.now()
    flood.start()
    const beside = await measure(bench)
    const figures = await flood.stop()
    addKey(bench, 'alone', alone)
    addKey(bench, 'in a flood', beside)
    report.add({
      group: GROUP,
      name: 'a key in a flood, to alone',
      value: beside.fastest.requestsPerSecond / alone.fastest.requestsPerSecond,
      unit: 'ratio',
      note: `${availableParallelism()} processors, for the flood itself and for wrk too`,
    })
    addFlood(bench, figures, (performance.now() - start) / 1000)
    report.add({
      group: GROUP,
      name: 'memory that a flood takes',
      value: (beside.look.resident - alone.look.resident) / MB,
      unit: 'MB',
      note: `a password takes ${((ARGON2_MEMORY_KIB * 1024) / MB).toFixed(0)} MB while it is hashed`,
    })
  } finally {
    await server.stop()
  }
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
