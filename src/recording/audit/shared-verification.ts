/** One way through the log for all who ask at the same time: it is long, and tells everybody the same. */
import { MachineAuthError } from '../../errors.ts'
import type { Findings, OnProgress, VerifyInput } from './report.ts'

type Caller = Pick<VerifyInput, 'most' | 'signal' | 'onProgress'>

interface Run {
  readonly listeners: Set<OnProgress>
  readonly findings: Promise<Findings>
  /** Ends it, for want of anybody who waits. */
  abandon(): void
}

export class SharedVerification {
  readonly #start: (onProgress: OnProgress, signal: AbortSignal) => Promise<Findings>
  #run: Run | undefined

  /** @param start goes through the log, and rejects when the signal says so */
  constructor(start: (onProgress: OnProgress, signal: AbortSignal) => Promise<Findings>) {
    this.#start = start
  }

  /**
   * Waits for the way that is under way, or begins one.
   *
   * @throws MachineAuthError `validation_failed` above `most` events, `request_malformed` when the signal gave it up
   */
  join({ most = Number.POSITIVE_INFINITY, signal, onProgress }: Caller): Promise<Findings> {
    const run = this.#run ?? this.#begin()
    const { promise, resolve, reject } = Promise.withResolvers<Findings>()
    const listen: OnProgress = (checked, expected) => {
      if (expected > most) leave(new MachineAuthError('validation_failed', { detail: tooMany(most) }))
      else onProgress?.(checked, expected)
    }
    const onAbort = () => leave(new MachineAuthError('request_malformed', { detail: 'The request was given up.' }))
    function leave(why: MachineAuthError): void {
      run.listeners.delete(listen)
      if (run.listeners.size === 0) run.abandon()
      reject(why)
    }
    run.listeners.add(listen)
    signal?.addEventListener('abort', onAbort, { once: true })
    run.findings.then(resolve, reject)
    if (signal?.aborted) onAbort()
    return promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  #begin(): Run {
    const controller = new AbortController()
    const listeners = new Set<OnProgress>()
    const tell: OnProgress = (checked, expected) => {
      for (const listen of [...listeners]) listen(checked, expected)
    }
    const end = () => {
      if (this.#run === run) this.#run = undefined
    }
    const run: Run = {
      listeners,
      findings: this.#start(tell, controller.signal),
      abandon() {
        end()
        controller.abort()
      },
    }
    this.#run = run
    run.findings.then(end, end)
    return run
  }
}

function tooMany(most: number): string {
  const bound = most.toLocaleString('en')
  return `The log has more than ${bound} events, which take longer than a request may: run machine-auth audit verify.`
}
