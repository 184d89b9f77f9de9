/** Runs `wrk` against a server in a process of its own, each on a processor of its own where `taskset` is there. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Announcement } from './server.ts'

export interface Reading {
  readonly requestsPerSecond: number
  /** ms */
  readonly p99: number
  /** Processor time of the server per request, µs: steadier than the rate on a machine that others use too. */
  readonly cpu: number
}

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

/** A script by which each request has the next value of a header. */
function writeScript({ name, values }: NonNullable<Announcement['inTurn']>): string {
  const path = join(tmpdir(), `machine-auth-bench-${process.pid}.lua`)
  const lines = [
    'local requests, count, turn = {}, 0, 0',
    'function init(args)',
    `  for value in ("${values.join(' ')}"):gmatch("%S+") do`,
    '    count = count + 1',
    `    requests[count] = wrk.format("GET", "/", { ["${name}"] = value })`,
    '  end',
    'end',
    'function request() turn = turn % count + 1; return requests[turn] end',
  ]
  writeFileSync(path, lines.join('\n'))
  return path
}

async function runWrk(announcement: Announcement, seconds: number): Promise<string> {
  const { inTurn } = announcement
  const script = inTurn === undefined ? null : writeScript(inTurn)
  const headers = Object.entries(announcement.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const url = `http://127.0.0.1:${announcement.port}/`
  const args = [
    '-t1',
    '-c32',
    `-d${seconds}s`,
    '--latency',
    ...(script === null ? [] : ['-s', script]),
    ...headers,
    url,
  ]
  const wrk = Bun.spawn(pinned(1, ['wrk', ...args]), { stderr: 'inherit' })
  const output = await new Response(wrk.stdout).text()
  if (script !== null) rmSync(script)
  return output
}

async function readLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes('\n')) break
  }
  return text
}

/**
 * Starts a variant, warms it up and measures it.
 *
 * @param server its file in this folder, and what it is called with
 * @param seconds of the measured run
 */
export async function measure([file, ...args]: readonly [string, ...string[]], seconds: number): Promise<Reading> {
  if (Bun.which('wrk') === null) throw new Error('Install wrk first (Debian: apt-get install wrk)')
  const server = Bun.spawn(pinned(0, [process.execPath, join(import.meta.dir, file), ...args]), {
    stderr: 'inherit',
    env: { ...process.env, NODE_ENV: 'development', ELYSIA_ENV: 'production' },
  })
  try {
    const announcement = JSON.parse(await readLine(server.stdout)) as Announcement
    await runWrk(announcement, 2)
    const before = cpuTimeOf(server.pid)
    const output = await runWrk(announcement, seconds)
    return parseReading(output, cpuTimeOf(server.pid) - before)
  } finally {
    server.kill()
    await server.exited
  }
}
