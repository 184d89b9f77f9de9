/** Load by `wrk`, each request with another key. */
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyTextOf } from './texts.ts'

export interface Load {
  readonly requestsPerSecond: number
  readonly requests: number
  /** ms */
  readonly median: number
  /** ms */
  readonly p99: number
  /** Answers that were neither 2xx nor 3xx. */
  readonly refused: number
}

export interface MeasuredLoad extends Load {
  /** Processor time of `wrk` itself, µs. */
  readonly cpu: number
}

/** One after the other, which is the worst for a cache that is too small, or as chance has it. */
export type Order = 'in turn' | 'at random'

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

function msOf(output: string, percentile: string): number {
  const found = new RegExp(`${percentile}%\\s+([0-9.]+)(us|ms|s)`).exec(output)
  return Number(found?.[1]) * (UNITS[found?.[2] ?? ''] ?? Number.NaN)
}

/** Reads what `wrk --latency` prints. */
export function parseLoad(output: string): Load {
  const load: Load = {
    requestsPerSecond: Number(/Requests\/sec:\s+([0-9.]+)/.exec(output)?.[1]),
    requests: Number(/(\d+) requests in/.exec(output)?.[1]),
    median: msOf(output, '50'),
    p99: msOf(output, '99'),
    refused: Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0),
  }
  if (!Object.values(load).every(Number.isFinite)) throw new Error(`wrk said nothing that can be read:\n${output}`)
  return load
}

const NEXT: Readonly<Record<Order, string>> = {
  'in turn': 'turn = turn % count + 1',
  'at random': 'turn = math.random(count)',
}

/** The requests are made before the first one is sent, and lie in memory as they are sent. */
function scriptFor(keysFile: string, order: Order): string {
  return `
local requests, count, turn = {}, 0, 0
function init(args)
  local head, tail = wrk.format("GET", "/", { ["x-api-key"] = "KEY" }):match("^(.*)KEY(.*)$")
  for key in io.lines(${JSON.stringify(keysFile)}) do
    count = count + 1
    requests[count] = head .. key .. tail
  end
  math.randomseed(tonumber(args[1]) or 0)
  turn = tonumber(args[1]) or 0
end
function request()
  ${NEXT[order]}
  return requests[turn]
end`
}

export interface LoadFiles {
  /** @returns arguments by which wrk presents keys 0 to `count - 1` */
  argumentsFor(count: number, order: Order): readonly string[]
  [Symbol.dispose](): void
}

export function createLoadFiles(): LoadFiles {
  const paths: string[] = []
  function write(name: string, text: string): string {
    const path = join(tmpdir(), `machine-auth-bench-${process.pid}-${name}`)
    if (paths.includes(path)) return path
    writeFileSync(path, text, { mode: 0o600 })
    paths.push(path)
    return path
  }
  return {
    argumentsFor(count, order) {
      const keys = () => Array.from({ length: count }, (_, index) => keyTextOf(index)).join('\n')
      const file = write(`${count}.keys`, keys())
      return ['-s', write(`${count}-${order.replace(' ', '-')}.lua`, scriptFor(file, order))]
    },
    [Symbol.dispose]() {
      for (const path of paths) rmSync(path, { force: true })
    },
  }
}

export interface LoadOptions {
  readonly port: number
  readonly seconds: number
  readonly script: readonly string[]
  /** Where in the keys it begins, so that a run goes on where the one before has ended. */
  readonly from?: number
  readonly connections?: number
  /** Processors for `wrk`, as `taskset` takes them, or null for any. */
  readonly processors: string | null
}

/** @throws Error when `wrk` is not installed or says nothing */
export async function runLoad({
  port,
  seconds,
  script,
  connections = 32,
  processors,
  from = 0,
}: LoadOptions): Promise<MeasuredLoad> {
  if (Bun.which('wrk') === null) throw new Error('Install wrk first (Debian: apt-get install wrk)')
  const command = [
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    ...script,
    `http://127.0.0.1:${port}/`,
    String(from),
  ]
  const isPinned = processors !== null && Bun.which('taskset') !== null
  const wrk = Bun.spawn(isPinned ? ['taskset', '-c', processors, ...command] : command, { stderr: 'inherit' })
  const output = await new Response(wrk.stdout).text()
  await wrk.exited
  return { ...parseLoad(output), cpu: Number(wrk.resourceUsage()?.cpuTime.total ?? 0) }
}

/**
 * Presents so many keys, in as many runs as that takes.
 *
 * @returns how many were presented: where the next run goes on
 */
export async function presentAll(count: number, options: LoadOptions): Promise<number> {
  let sent = 0
  do sent += (await runLoad({ ...options, from: sent })).requests
  while (sent < count)
  return sent
}
