/**
 * Measures one group in a process of its own, which nothing before it has filled or warmed:
 * `bun bench/group-process.ts GROUP [--quick]`, called by `run.ts` only.
 */
import { type GroupName, importGroup, isGroupName } from './groups.ts'
import type { Report, Result } from './report.ts'
import { exitOnSignals } from './signals.ts'

/** What the process says to the one that started it. */
export type Message = { readonly progress: string } | { readonly result: Result } | { readonly failure: string }

export interface Measured {
  readonly results: readonly Result[]
  readonly failure?: string
}

/** @param progress is called with what is being done */
export async function measureGroup(
  name: GroupName,
  isQuick: boolean,
  progress: (text: string) => void,
): Promise<Measured> {
  const results: Result[] = []
  let failure: string | undefined
  const child = Bun.spawn([process.execPath, import.meta.path, name, ...(isQuick ? ['--quick'] : [])], {
    stdout: 'ignore',
    stderr: 'pipe',
    ipc(message: Message) {
      if ('progress' in message) progress(message.progress)
      else if ('result' in message) results.push(message.result)
      else failure = message.failure
    },
  })
  const end = () => child.kill()
  process.once('exit', end)
  let words = ''
  const listening = listen(child.stderr, (text) => {
    words += text
  })
  const code = await child.exited
  // Whatever the group started may hold the stream open.
  await Promise.race([listening, Bun.sleep(100)])
  process.off('exit', end)
  if (code !== 0) failure ??= `ended with code ${code}: ${words.trim().split('\n').at(-1) ?? ''}`
  return failure === undefined ? { results } : { results, failure }
}

async function listen(stream: ReadableStream<Uint8Array>, hear: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of stream) hear(decoder.decode(chunk, { stream: true }))
}

/** In one line, as a table has it. */
function wordsOf(cause: unknown): string {
  const words = cause instanceof Error ? cause.message : String(cause)
  return words.split('\n')[0] ?? ''
}

function send(message: Message): void {
  process.send?.(message)
}

if (import.meta.main) {
  exitOnSignals()
  const [name = '', ...options] = process.argv.slice(2)
  const report: Report = {
    progress: (text) => send({ progress: text }),
    add: (result) => send({ result }),
  }
  try {
    if (!isGroupName(name)) throw new Error(`there is no group ${name}`)
    const run = await importGroup(name)
    await run(report, { isQuick: options.includes('--quick') })
    process.exitCode = 0
  } catch (cause) {
    console.error(cause)
    send({ failure: wordsOf(cause) })
    process.exitCode = 1
  }
  // Ends also where a server or a timer of the group is left over; what was sent goes first.
  process.disconnect?.()
  process.exit()
}
