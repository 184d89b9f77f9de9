/** SIGTERM and SIGINT, for all apps of a process: what serves is stopped, and then the process ends. */
import { type Stoppable, type StoppableApp, stopServing } from './stopping.ts'

/** Exit codes of a process that a signal ended: 128 and its number. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const

export type StopSignal = keyof typeof CODES
const SIGNALS = Object.keys(CODES) as readonly StopSignal[]

/** What of the process is touched. */
export interface SignalledProcess {
  prependListener(signal: StopSignal, listener: (signal: StopSignal) => void): unknown
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown
  listenerCount(signal: StopSignal): number
  exit(code?: number): void
}

export class SignalHandler {
  readonly #process: SignalledProcess
  readonly #serving = new Map<Stoppable, Set<StoppableApp>>()
  #isListening = false
  #isStopping = false

  constructor(process: SignalledProcess) {
    this.#process = process
  }

  /** Has an app stopped when a signal comes; nothing where its core leaves that to others. */
  add(core: Stoppable, app: StoppableApp): void {
    if (core.timing === false || core.life.isStopping) return
    let apps = this.#serving.get(core)
    if (apps === undefined) {
      apps = new Set()
      this.#serving.set(core, apps)
      void core.life.closed.then(() => this.#forget(core))
    }
    apps.add(app)
    if (this.#isListening) return
    this.#isListening = true
    // Before all others, which are counted then: one that hears once is gone when it has heard.
    for (const signal of SIGNALS) this.#process.prependListener(signal, this.#onSignal)
  }

  /** Tells that an app has stopped; without one that serves, the process is as if nobody had ever listened. */
  remove(core: Stoppable, app: StoppableApp): void {
    const apps = this.#serving.get(core)
    apps?.delete(app)
    if (apps?.size === 0) this.#forget(core)
  }

  #forget(core: Stoppable): void {
    this.#serving.delete(core)
    if (this.#serving.size === 0 && !this.#isStopping) this.#leave()
  }

  #leave(): void {
    this.#isListening = false
    for (const signal of SIGNALS) this.#process.off(signal, this.#onSignal)
  }

  readonly #onSignal = (signal: StopSignal): void => {
    // Who has listeners of his own says himself when the process ends.
    const isOurs = this.#process.listenerCount(signal) === 1
    if (!this.#isStopping) void this.#stop(isOurs)
    else if (isOurs) this.#process.exit(CODES[signal])
  }

  async #stop(isOurs: boolean): Promise<void> {
    this.#isStopping = true
    await Promise.allSettled([...this.#serving].map(([core, apps]) => stopServing(core, apps)))
    this.#isStopping = false
    if (isOurs) this.#process.exit()
    else if (this.#serving.size === 0) this.#leave()
  }
}

const KEY = Symbol.for('elysia-machine-auth.signals')

/** The one of this process, also where code is loaded anew (`bun --hot`) or twice: two would wait for each other. */
export function processSignals(): SignalHandler {
  // A symbol of our own on the process holds nothing else.
  const holder = process as typeof process & { [KEY]?: SignalHandler }
  holder[KEY] ??= new SignalHandler(process)
  return holder[KEY]
}
