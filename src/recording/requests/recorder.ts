/** Logs requests: sees them before anything reads them, notes them once they are answered, and writes of them beside. */
import type { Clock } from '../../lib/clock.ts'
import type { ResolvedOptions } from '../../options/resolved.ts'
import type { RequestLogStore } from '../../storage/ports/request-log.ts'
import type { RequestLogRecord } from '../../storage/records.ts'
import { Backlog } from './backlog.ts'
import { type HeldBody, holdAnswerBody, holdRequestBody } from './bodies.ts'
import { type Draft, type HeaderPairs, sizeOfDraft } from './draft.ts'
import { createDetailedEntry, createEntry, weighEntry } from './entry.ts'
import { HeldBodies, type HeldPlace } from './held-bodies.ts'
import type { RequestFacts, RequestLogger } from './logger.ts'
import { BatchQueue, type QueueFigures } from './queue.ts'
import { createSecrecy, type Secrecy } from './secrecy.ts'
import type { Turn } from './turn.ts'
import { toRequestLogEntry } from './views.ts'

export interface RequestLogRecorderOptions {
  readonly options: Pick<ResolvedOptions, 'logging' | 'apiKeys' | 'sessions' | 'prefix'>
  readonly store: Pick<RequestLogStore, 'append'>
  readonly clock: Clock
  readonly warn: (message: string) => void
}

/** Bytes: a larger body is not copied, however much of it would be kept. */
const MOST_OF_BODY = 64 * 1024
/** Bytes of the bodies that are kept until they are looked through. */
const MOST_HELD = 16 * 1024 * 1024
/** ms that an entry waits for others, until it is made and then until it is written. */
const INTERVAL = 500
/** ms that stopping takes at most, and the part of it in which what is left becomes entries. */
const PATIENCE = 3000
const MAKING = 1 / 3

/** Whether a route is one of these of ours, where they are mounted. @param paths with our prefix */
export type IsMountedAt = (route: string, paths: readonly string[]) => boolean

const LOG_ITSELF: HeldBody = { kind: 'note', text: '[the log itself]' }
const NOT_READ: HeldBody = { kind: 'note', text: '[not read]' }

type Write = ReturnType<RequestLogger['begin']>

export class RequestLogRecorder implements RequestLogger {
  readonly #options: RequestLogRecorderOptions
  readonly #secrecy: Secrecy
  /** Asked every few seconds by a machine: it would hide everything else. Probes do not get here at all. */
  readonly #metricsPath: string
  readonly #logPath: string
  readonly #mostOfBody: number
  readonly #bodies = new HeldBodies(MOST_HELD)
  /** What is still to be made an entry. */
  readonly #backlog: Backlog<Draft>
  /** What is still to be written. */
  readonly #queue: BatchQueue<RequestLogRecord>
  #isMountedAt: IsMountedAt = () => false
  #isStopping = false
  /** Entries that there was no time to make. */
  #lost = 0

  constructor(options: RequestLogRecorderOptions) {
    const { store, warn } = options
    const { prefix, logging } = options.options
    const { sink, maxBody } = logging
    this.#options = options
    this.#secrecy = createSecrecy(options.options)
    this.#metricsPath = `${prefix}/metrics`
    this.#logPath = `${prefix}/logs`
    this.#mostOfBody = maxBody === 0 ? 0 : Math.max(MOST_OF_BODY, maxBody)
    this.#backlog = new Backlog({
      interval: INTERVAL,
      work: (draft, turn) => this.#finish(draft, turn),
      onDropped: (draft) => this.#drop(draft),
    })
    this.#queue = new BatchQueue({
      name: 'the request log',
      warn,
      interval: INTERVAL,
      weigh: weighEntry,
      write: (batch) => (sink === undefined ? store.append(batch) : sink.write(batch.map(toRequestLogEntry))),
    })
  }

  /** Says where our own endpoints are, once there are any. */
  serve(isMountedAt: IsMountedAt): void {
    this.#isMountedAt = isMountedAt
  }

  begin(request: Request): Write {
    if (this.#options.options.logging.mode === 'metadata_only') return (facts) => this.#noteMetadata(request, facts)
    let headers: HeaderPairs = []
    let place: HeldPlace = { body: null }
    this.#attempt(() => {
      // Now: a core may take credentials out of them, and a handler whatever it likes.
      headers = [...request.headers]
      if (this.#mostOfBody > 0) place = this.#bodies.holdUnderWay(() => holdRequestBody(request, this.#mostOfBody))
    })
    return (facts, answer) => {
      const body = this.#bodies.settle(place)
      this.#attempt(() => this.#noteAll(request, headers, body, facts, answer), body)
    }
  }

  /** Whatever goes wrong here is nothing to the request. */
  #attempt(act: () => void, held: HeldBody = null): void {
    try {
      act()
    } catch {
      this.#bodies.release(held)
      this.#queue.drop()
    }
  }

  /** By the route that answered, and not by the path, which anybody may make up. The cheap look comes first. */
  #isOurs(path: string, { route }: RequestFacts): boolean {
    return route?.endsWith(path) === true && this.#isMountedAt(route, [path])
  }

  #noteMetadata(request: Request, facts: RequestFacts): void {
    try {
      if (this.#isOurs(this.#metricsPath, facts)) return
      const { method, url } = request
      const draft: Draft = { facts, method, url, at: this.#options.clock(), details: null }
      this.#backlog.add(draft, sizeOfDraft(draft))
    } catch {
      this.#queue.drop()
    }
  }

  #noteAll(
    request: Request,
    requestHeaders: HeaderPairs,
    held: HeldBody,
    facts: RequestFacts,
    answer: Response | null,
  ): void {
    if (this.#isOurs(this.#metricsPath, facts)) {
      this.#bodies.release(held)
      return
    }
    const { url, method, bodyUsed } = request
    const responseHeaders = answer === null ? [] : [...answer.headers]
    const draft: Draft = {
      facts,
      method,
      url,
      at: this.#options.clock(),
      details: {
        requestHeaders,
        requestBody: this.#readOrRelease(held, bodyUsed),
        responseHeaders,
        responseBody: this.#holdAnswer(method, facts, answer),
      },
    }
    this.#backlog.add(draft, sizeOfDraft(draft))
  }

  /** An upload that nobody wanted must not be waited for. One that was read is read again now: later its rest may be gone. */
  #readOrRelease(held: HeldBody, bodyUsed: boolean): HeldBody {
    if (held?.kind !== 'held') return held
    if (bodyUsed) {
      void held.read()
      return held
    }
    this.#bodies.release(held)
    return NOT_READ
  }

  #holdAnswer(method: string, facts: RequestFacts, answer: Response | null): HeldBody {
    if (answer === null) return null
    if (this.#isOurs(this.#logPath, facts)) return LOG_ITSELF
    return this.#hold(() => holdAnswerBody(answer, method, this.#mostOfBody))
  }

  #hold(take: () => HeldBody): HeldBody {
    return this.#mostOfBody === 0 ? null : this.#bodies.hold(take)
  }

  #finish(draft: Draft, turn: Turn): Promise<void> | void {
    if (draft.details !== null) return this.#finishDetailed(draft, draft.details, turn)
    this.#attempt(() => this.#queue.add(createEntry(draft, this.#secrecy)))
  }

  async #finishDetailed(draft: Draft, details: NonNullable<Draft['details']>, turn: Turn): Promise<void> {
    const { maxBody } = this.#options.options.logging
    try {
      this.#queue.add(await createDetailedEntry(draft, details, this.#secrecy, maxBody, turn))
    } catch {
      this.#queue.drop()
    } finally {
      this.#release(draft)
    }
  }

  #drop(draft: Draft): void {
    this.#release(draft)
    if (this.#isStopping) this.#lost += 1
    else this.#queue.drop()
  }

  #release({ details }: Draft): void {
    this.#bodies.release(details?.requestBody ?? null)
    this.#bodies.release(details?.responseBody ?? null)
  }

  start(): void {
    this.#backlog.start()
    this.#queue.start()
  }

  /** For metrics and health. */
  get figures(): QueueFigures {
    const { queued, ...rest } = this.#queue.figures
    return { queued: queued + this.#backlog.count, ...rest }
  }

  /** Writes all that was answered so far; answers whether it is written. Never rejects. */
  async flush(): Promise<boolean> {
    await this.#backlog.flush()
    return this.#queue.flush()
  }

  /**
   * Writes what is left, and ends.
   *
   * @param patience ms that it takes at most; never more than three seconds
   */
  async stop(patience = PATIENCE): Promise<void> {
    const start = performance.now()
    this.#isStopping = true
    await this.#backlog.stop(patience * MAKING)
    await this.#queue.stop(patience - (performance.now() - start), this.#lost + this.#backlog.count)
  }
}
