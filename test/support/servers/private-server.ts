/** A server of a test's own, which it may freeze, kill and start again. */
import { type FileSink, type Subprocess, spawn } from 'bun'
import { signalFamily } from './family.ts'

export interface PrivateServer {
  readonly url: string
  readonly port: number
  /** SIGSTOP, to what it started too: it accepts no connection and answers nothing, and says goodbye to nobody. */
  pause(): void
  resume(): void
  /** SIGKILL, to what it started too. */
  kill(): Promise<void>
  /** Starts it again after `kill`, on the same port and data. Resolves when it answers. */
  start(): Promise<void>
  /** Ends it for good, and removes what it wrote. */
  stop(): Promise<void>
}

export interface ServerProgram {
  readonly url: string
  readonly port: number
  readonly command: readonly string[]
  /** Whether it answers, as its clients would ask it. Does not throw. */
  readonly answers: () => Promise<boolean>
  /** Comes before the end, while it answers; not when it was killed before. */
  readonly beforeStop?: () => Promise<void>
  /** Comes after the end. */
  readonly afterStop?: () => void | Promise<void>
}

/** ms until a server must answer, on a machine that is busy with others. */
const PATIENCE = 30_000

type Child = Subprocess<'ignore', 'ignore', 'pipe'> & { readonly stdin: FileSink | undefined }

/** Those that run, to be ended with this process whatever becomes of it. */
const running = new Set<Child>()
process.on('exit', () => {
  for (const { pid } of running) signalFamily(pid, 'SIGKILL')
})

/**
 * Starts a program and waits until it answers.
 *
 * @throws Error with what it said when it ends before, or does not answer in time
 */
export async function startPrivateServer(program: ServerProgram): Promise<PrivateServer> {
  let child: Child | undefined

  async function kill(): Promise<void> {
    if (child === undefined) return
    const killed = child
    child = undefined
    signalFamily(killed.pid, 'SIGKILL')
    await killed.exited
    running.delete(killed)
  }

  async function start(): Promise<void> {
    if (child !== undefined) return
    const started = spawn([...program.command], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' }) as Child
    child = started
    running.add(started)
    const said = new Response(started.stderr).text()
    const end = performance.now() + PATIENCE
    while (!(await program.answers())) {
      if (started.exitCode === null && performance.now() < end) {
        await Bun.sleep(10)
        continue
      }
      await kill()
      throw new Error(`${program.command[0]} does not answer on port ${program.port}: ${await said}`)
    }
  }

  const signal = (name: NodeJS.Signals) => {
    if (child !== undefined) signalFamily(child.pid, name)
  }
  async function stop(): Promise<void> {
    signal('SIGCONT')
    try {
      if (child !== undefined) await program.beforeStop?.()
    } finally {
      await kill()
      await program.afterStop?.()
    }
  }

  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: program.url,
    port: program.port,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill,
    start,
    stop,
  }
}
