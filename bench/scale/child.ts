/** A server in a process of its own that can be asked about itself. */
import { heapStats } from 'bun:jsc'
import { readFileSync } from 'node:fs'

/** What a server says of its memory, after garbage collection. */
export interface Footprint {
  /** Bytes. */
  readonly heap: number
  readonly resident: number
  /** As much of it as is the process's own: an SQLite file that is read in place counts as resident, too (Linux). */
  readonly own: number
  readonly objects: number
  /** How many of them there are of each type. */
  readonly types: Readonly<Record<string, number>>
}

/** A processor, or null for any. */
export type Processor = number | null

function pinned(processor: Processor, command: readonly string[]): string[] {
  if (processor === null || Bun.which('taskset') === null) return [...command]
  return ['taskset', '-c', String(processor), ...command]
}

/** Processor time a process has used, µs (Linux: clock ticks of 10 ms). */
export function processorTimeOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

export interface Child<Answers> {
  readonly pid: number
  /** ms from its start to its first word. */
  readonly took: number
  /** Its first word. */
  readonly hello: Answers
  /** Its next word after it was sent something. */
  ask(question: unknown): Promise<Answers>
  /** Hears every word that was not asked for. */
  onWord: (word: Answers) => void
  readonly exited: Promise<number>
  stop(): Promise<void>
}

/**
 * Starts a Bun file that speaks by `process.send`, and waits for its first word.
 *
 * @throws Error when it ends before it has said anything
 */
export async function startChild<Word>(command: readonly string[], processor: Processor): Promise<Child<Word>> {
  const waiting: ((word: Word) => void)[] = []
  const first = Promise.withResolvers<Word>()
  waiting.push(first.resolve)
  const began = performance.now()
  const subprocess = Bun.spawn(pinned(processor, [process.execPath, ...command]), {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NODE_ENV: 'development', ELYSIA_ENV: 'production' },
    serialization: 'json',
    ipc(word: Word) {
      const next = waiting.shift()
      if (next === undefined) child.onWord(word)
      else next(word)
    },
  })
  const kill = () => subprocess.kill()
  // Also of a bench that is broken off or has failed.
  process.once('exit', kill)
  const ended = subprocess.exited.then((code): never => {
    throw new Error(`${command[0]} ended with ${code} before it had answered`)
  })
  ended.catch(() => undefined)
  const child: Omit<Child<Word>, 'hello' | 'took'> = {
    pid: subprocess.pid,
    ask(question) {
      const answer = Promise.withResolvers<Word>()
      waiting.push(answer.resolve)
      subprocess.send(question)
      return Promise.race([answer.promise, ended])
    },
    onWord: () => undefined,
    exited: subprocess.exited,
    async stop() {
      process.off('exit', kill)
      kill()
      await subprocess.exited
    },
  }
  const hello = await Promise.race([first.promise, ended])
  return Object.assign(child, { hello, took: performance.now() - began })
}

function ownMemory(): number {
  const kilobytes = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}

/** In the child: what it holds once nothing is left to collect. */
export function weighSelf(): Footprint {
  Bun.gc(true)
  const { heapSize, objectCount, objectTypeCounts } = heapStats()
  return {
    heap: heapSize,
    objects: objectCount,
    types: objectTypeCounts,
    resident: process.memoryUsage().rss,
    own: ownMemory(),
  }
}
