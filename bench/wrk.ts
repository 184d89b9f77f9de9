/** Runs `wrk` against a server in a process of its own, each on a processor of its own where `taskset` is there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Announcement, Variant } from './server.ts'

export interface Reading {
  readonly requestsPerSecond: number
  /** ms */
  readonly p99: number
  /** Processor time of the server per request, µs: steadier than the rate on a machine that others use too. */
  readonly cpu: number
}

const SERVER = join(import.meta.dir, 'server.ts')
const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

function pinned(processor: number, command: readonly string[]): string[] {
  return Bun.which('taskset') === null ? [...command] : ['taskset', '-c', String(processor), ...command]
}

/** Processor time a process has used, µs (Linux: clock ticks of 10 ms). */
function cpuTimeOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

function parseReading(output: string, cpuTime: number): Reading {
  const rate = /Requests\/sec:\s+([0-9.]+)/.exec(output)?.[1]
  const latency = /99%\s+([0-9.]+)(us|ms|s)/.exec(output)
  const requests = /(\d+) requests in/.exec(output)?.[1]
  if (rate === undefined || latency === null || requests === undefined)
    throw new Error(`wrk said nothing that can be read:\n${output}`)
  return {
    requestsPerSecond: Number(rate),
    p99: Number(latency[1]) * (UNITS[latency[2] ?? ''] ?? 1),
    cpu: cpuTime / Number(requests),
  }
}

async function runWrk(announcement: Announcement, seconds: number): Promise<string> {
  const headers = Object.entries(announcement.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const url = `http://127.0.0.1:${announcement.port}/`
  const wrk = Bun.spawn(pinned(1, ['wrk', '-t1', '-c32', `-d${seconds}s`, '--latency', ...headers, url]), {
    stderr: 'inherit',
  })
  return new Response(wrk.stdout).text()
}

/**
 * Starts a variant, warms it up and measures it.
 *
 * @param seconds of the measured run
 */
export async function measure(variant: Variant, seconds: number): Promise<Reading> {
  if (Bun.which('wrk') === null) throw new Error('Install wrk first (Debian: apt-get install wrk)')
  const server = Bun.spawn(pinned(0, [process.execPath, SERVER, variant]), {
    stderr: 'inherit',
    env: { ...process.env, NODE_ENV: 'development', ELYSIA_ENV: 'production' },
  })
  try {
    const reader = server.stdout.getReader()
    const { value } = await reader.read()
    const announcement = JSON.parse(new TextDecoder().decode(value)) as Announcement
    await runWrk(announcement, 2)
    const before = cpuTimeOf(server.pid)
    const output = await runWrk(announcement, seconds)
    return parseReading(output, cpuTimeOf(server.pid) - before)
  } finally {
    server.kill()
    await server.exited
  }
}
