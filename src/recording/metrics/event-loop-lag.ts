/**
 * How late the event loop is: by how much a timer comes after it was due. A histogram of all samples, unlike the
 * percentiles that `monitorEventLoopDelay` gives, can be read by several scrapers and needs no resetting.
 */
import { Distribution } from './distribution.ts'

/** ms between samples: what blocks for longer is never missed. */
const INTERVAL = 100
/** ms */
const BOUNDS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000] as const

/** Calls again and again, about every `interval` ms; what it returns ends that. */
export type Repeat = (tick: () => void, interval: number) => () => void

function repeat(tick: () => void, interval: number): () => void {
  // Nobody waits for the next sample to end the process.
  const timer = setInterval(tick, interval).unref()
  return () => clearInterval(timer)
}

export class EventLoopLag {
  readonly lags = new Distribution(BOUNDS)
  readonly #stopwatch: () => number
  readonly #repeat: Repeat
  #stop: (() => void) | null = null

  /** @param options.stopwatch ms from any moment on, never backwards */
  constructor(options: { readonly stopwatch?: () => number; readonly repeat?: Repeat } = {}) {
    this.#stopwatch = options.stopwatch ?? (() => performance.now())
    this.#repeat = options.repeat ?? repeat
  }

  start(): void {
    let last = this.#stopwatch()
    this.#stop ??= this.#repeat(() => {
      const now = this.#stopwatch()
      this.lags.add(Math.max(0, now - last - INTERVAL))
      last = now
    }, INTERVAL)
  }

  stop(): void {
    this.#stop?.()
    this.#stop = null
  }
}
