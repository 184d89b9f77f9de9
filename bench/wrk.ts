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

/** What is sent. */
export interface Load extends Pick<Announcement, 'headers' | 'inTurn' | 'isRefused'> {
  /** Requests a second, by all connections together: the same load for servers of any speed that can carry it. */
  readonly rate?: number
}

export interface RunningServer {
  readonly announcement: Announcement
  /**
   * @param seconds of the measured run
   * @param load default: what the server said
   */
  measure(seconds: number, load?: Load): Promise<Reading>
  stop(): Promise<void>
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

/** Such as answers that took more than two seconds: what is missing is not in the latencies. */
const SOCKET_ERRORS = /^\s*Socket errors: .*[1-9].*$/m

/**
 * @param output of `wrk --latency`
 * @param cpuTime of the server meanwhile, µs
 * @throws Error when requests were refused that should not be, or the other way round: that would be another measurement
 */
export function parseReading(output: string, cpuTime: number, isRefused = false): Reading {
  const rate = /Requests\/sec:\s+([0-9.]+)/.exec(output)?.[1]
  const latency = /99%\s+([0-9.]+)(us|ms|s)/.exec(output)
  const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0)
  if (rate === undefined || latency === null || requests === 0)
    throw new Error(`wrk said nothing that can be read:\n${output}`)
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0)
  // The first requests of who will be over his limit are within it.
  const errors = SOCKET_ERRORS.exec(output)
  if (errors !== null) throw new Error(`wrk had ${errors[0].trim()}`)
  const isAsMeant = isRefused ? refused >= requests * 0.99 : refused === 0
  if (!isAsMeant) throw new Error(`${refused} of ${requests} requests were refused`)
  return {
    requestsPerSecond: Number(rate),
    p99: Number(latency[1]) * (UNITS[latency[2] ?? ''] ?? 1),
    cpu: cpuTime / requests,
  }
}

/** wrk keeps no rate by itself: each request is given the next of moments that are equally far apart. */
function keepRate(rate: number): string[] {
  return [
    "local ffi = require('ffi')",
    "ffi.cdef('typedef struct { long s; long ns; } moment; int clock_gettime(int, moment *);')",
    "local moment, due = ffi.new('moment'), 0",
    'function delay()',
    '  ffi.C.clock_gettime(1, moment)',
    '  local now = tonumber(moment.s) * 1000 + tonumber(moment.ns) / 1e6',
    '  if due == 0 then due = now end',
    // What a moment of standing still has cost is caught up.
    `  due = math.max(due, now - 100) + ${1000 / rate}`,
    '  return math.max(0, due - now)',
    'end',
  ]
}

/** A script by which each request has the next value of a header, or a rate is kept; null where none is needed. */
function writeScript({ inTurn, rate }: Load): string | null {
  if (inTurn === undefined && rate === undefined) return null
  const path = join(tmpdir(), `machine-auth-bench-${process.pid}.lua`)
  const lines = rate === undefined ? [] : keepRate(rate)
  if (inTurn !== undefined) {
    lines.push(
      'local requests, count, turn = {}, 0, 0',
      'function init(args)',
      `  for value in ("${inTurn.values.join('\\n')}"):gmatch("[^\\n]+") do`,
      '    count = count + 1',
      `    requests[count] = wrk.format("GET", "/", { ["${inTurn.name}"] = value })`,
      '  end',
      'end',
      'function request() turn = turn % count + 1; return requests[turn] end',
    )
  }
  writeFileSync(path, lines.join('\n'))
  return path
}

async function runWrk(port: number, load: Load, seconds: number): Promise<string> {
  const script = writeScript(load)
  const headers = Object.entries(load.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const options = ['-t1', '-c32', `-d${seconds}s`, '--latency', ...(script === null ? [] : ['-s', script])]
  const command = ['wrk', ...options, ...headers, `http://127.0.0.1:${port}/`]
  const wrk = Bun.spawn(pinned(1, command), { stderr: 'inherit' })
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

/** Where others take the processor for as long as a run lasts, there is none of it in the figure. */
const ATTEMPTS = 3

const isUnusable = (output: string) => /^\s*0 requests in/m.test(output) || SOCKET_ERRORS.test(output)

/**
 * Starts a server that says where it listens.
 *
 * @param server its file in this folder, and what it is called with
 */
export async function startServer([file, ...args]: readonly [string, ...string[]]): Promise<RunningServer> {
  if (Bun.which('wrk') === null) throw new Error('Install wrk first (Debian: apt-get install wrk)')
  const server = Bun.spawn(pinned(0, [process.execPath, join(import.meta.dir, file), ...args]), {
    stderr: 'inherit',
    env: { ...process.env, NODE_ENV: 'development', ELYSIA_ENV: 'production' },
  })
  const kill = () => server.kill()
  // Also of a bench that is broken off or has failed.
  process.once('exit', kill)
  const stop = async () => {
    process.off('exit', kill)
    kill()
    await server.exited
  }
  try {
    const announcement = JSON.parse(await readLine(server.stdout)) as Announcement
    return {
      announcement,
      stop,
      async measure(seconds, load = announcement) {
        for (let attempt = 1; ; attempt += 1) {
          const before = cpuTimeOf(server.pid)
          const output = await runWrk(announcement.port, load, seconds)
          if (attempt < ATTEMPTS && isUnusable(output)) continue
          return parseReading(output, cpuTimeOf(server.pid) - before, load.isRefused)
        }
      },
    }
  } catch (cause) {
    await stop()
    throw cause
  }
}

/** What is sent so that the engine has compiled everything, s. */
const WARM_UP = 2

/**
 * Starts a variant, warms it up and measures it.
 *
 * @param command its file in this folder, and what it is called with
 * @param seconds of the measured run
 */
export async function measure(command: readonly [string, ...string[]], seconds: number): Promise<Reading> {
  const server = await startServer(command)
  try {
    await server.measure(WARM_UP)
    return await server.measure(seconds)
  } finally {
    await server.stop()
  }
}
