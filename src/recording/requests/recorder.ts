/** Logs requests: sees them before anything reads them, and writes of them once they are answered. */
import { breathe } from '../../lib/breathe.ts'
import type { Clock } from '../../lib/clock.ts'
import { requestPath } from '../../lib/path.ts'
import type { ResolvedOptions } from '../../options/resolved.ts'
import type { RequestLogStore } from '../../storage/ports/request-log.ts'
import type { RequestLogRecord } from '../../storage/records.ts'
import { type HeldBody, holdAnswerBody, holdRequestBody } from './bodies.ts'
import { addDetails, createEntry, type HeaderPairs, weighEntry } from './entry.ts'
import type { RequestFacts, RequestLogger } from './logger.ts'
import { BatchQueue, type QueueFigures } from './queue.ts'
import { createSecrecy, type Secrecy } from './secrecy.ts'
import { toRequestLogEntry } from './views.ts'

export interface RequestLogRecorderOptions {
  readonly options: Pick<ResolvedOptions, 'logging' | 'apiKeys' | 'sessions' | 'prefix'>
  readonly store: Pick<RequestLogStore, 'append'>
  readonly clock: Clock
  readonly warn: (message: string) => void
}

/** Bytes: a larger body is not copied, however much of it would be kept. */
const MOST_OF_BODY = 64 * 1024
/** Entries that are being made at the same time, and bytes of the bodies that they hold. */
const MOST_DRAFTS = 1000
const MOST_HELD = 16 * 1024 * 1024

/** Asked every few seconds by machines: they would hide everything else. */
const UNLOGGED = ['/health/live', '/health/ready', '/metrics'] as const

const LOG_ITSELF: HeldBody = { kind: 'note', text: '[the log itself]' }
const BUSY: HeldBody = { kind: 'note', text: '[left out: too many at once]' }

type Write = ReturnType<RequestLogger['begin']>

export class RequestLogRecorder implements RequestLogger {
  readonly #options: RequestLogRecorderOptions
  readonly #secrecy: Secrecy
  readonly #queue: BatchQueue<RequestLogRecord>
  readonly #unlogged: readonly string[]
  readonly #mostOfBody: number
  readonly #drafts = new Set<Promise<void>>()
  readonly #copies = new Set<HeldBody>()
  /** Bytes in them. */
  #held = 0

  constructor(options: RequestLogRecorderOptions) {
    const { store, warn } = options
    const { prefix, logging } = options.options
    const { sink, maxBody } = logging
    this.#options = options
    this.#secrecy = createSecrecy(options.options)
    this.#unlogged = UNLOGGED.map((path) => prefix + path)
    this.#mostOfBody = maxBody === 0 ? 0 : Math.max(MOST_OF_BODY, maxBody)
    this.#queue = new BatchQueue({
      name: 'the request log',
      warn,
      weigh: weighEntry,
      write: (batch) => (sink === undefined ? store.append(batch) : sink.write(batch.map(toRequestLogEntry))),
    })
  }

  begin(request: Request): Write {
    const { mode } = this.#options.options.logging
    if (mode === 'metadata_only') return (facts) => this.#attempt(() => this.#writeMetadata(request, facts))
    let headers: HeaderPairs = []
    let body: HeldBody = null
    this.#attempt(() => {
      // Now: a core may take credentials out of them, and a handler whatever it likes.
      headers = [...request.headers]
      body = this.#hold(() => holdRequestBody(request, this.#mostOfBody))
    })
    return (facts, answer) => this.#attempt(() => this.#writeAll(request, headers, body, facts, answer), body)
  }

  /** Whatever goes wrong here is nothing to the request. */
  #attempt(act: () => void, held: HeldBody = null): void {
    try {
      act()
    } catch {
      this.#release(held)
      this.#queue.drop()
    }
  }

  #isUnlogged(method: string, path: string): boolean {
    return (method === 'GET' || method === 'HEAD') && this.#unlogged.some((each) => path.endsWith(each))
  }

  #entryOf(request: Request, facts: RequestFacts): RequestLogRecord | null {
    const { method } = request
    const path = requestPath(request.url)
    if (this.#isUnlogged(method, facts.route ?? path)) return null
    return createEntry(facts, { method, path, at: this.#options.clock() }, this.#secrecy(path))
  }

  #writeMetadata(request: Request, facts: RequestFacts): void {
    const entry = this.#entryOf(request, facts)
    if (entry !== null) this.#queue.add(entry)
  }

  #writeAll(
    request: Request,
    requestHeaders: HeaderPairs,
    held: HeldBody,
    facts: RequestFacts,
    answer: Response | null,
  ): void {
    const entry = this.#entryOf(request, facts)
    if (entry === null || this.#drafts.size >= MOST_DRAFTS) {
      this.#release(held)
      if (entry !== null) this.#queue.drop()
      return
    }
    const { url, method, bodyUsed } = request
    const query = url.indexOf('?')
    // An upload that nobody wanted must not be waited for.
    const requestBody: HeldBody = held?.kind !== 'held' || bodyUsed ? held : { kind: 'note', text: '[not read]' }
    if (requestBody !== held) this.#release(held)
    const isLog = (facts.route ?? entry.path).endsWith(`${this.#options.options.prefix}/logs`)
    const responseBody = isLog
      ? LOG_ITSELF
      : this.#hold(() => answer && holdAnswerBody(answer, method, this.#mostOfBody))
    const draft = this.#finish(entry, requestPath(url), {
      query: query === -1 ? null : url.slice(query + 1),
      requestHeaders,
      requestBody,
      responseHeaders: answer === null ? [] : [...answer.headers],
      responseBody,
    })
      .catch(() => this.#queue.drop())
      .finally(() => {
        this.#drafts.delete(draft)
        this.#release(requestBody)
        this.#release(responseBody)
      })
    this.#drafts.add(draft)
  }

  async #finish(entry: RequestLogRecord, path: string, details: Parameters<typeof addDetails>[1]): Promise<void> {
    // First of all the answer is sent.
    await breathe()
    const { maxBody } = this.#options.options.logging
    this.#queue.add(await addDetails(entry, details, this.#secrecy(path), maxBody))
  }

  #hold(take: () => HeldBody): HeldBody {
    if (this.#mostOfBody === 0) return null
    if (this.#held >= MOST_HELD) return BUSY
    const body = take()
    if (body?.kind !== 'held') return body
    this.#copies.add(body)
    this.#held += body.size
    return body
  }

  #release(body: HeldBody): void {
    if (body?.kind === 'held' && this.#copies.delete(body)) this.#held -= body.size
  }

  start(): void {
    this.#queue.start()
  }

  /** For metrics and health. */
  get figures(): QueueFigures {
    const { queued, ...rest } = this.#queue.figures
    return { queued: queued + this.#drafts.size, ...rest }
  }

  /** Writes all that was answered so far; answers whether it is written. Never rejects. */
  async flush(): Promise<boolean> {
    await Promise.all(this.#drafts)
    return this.#queue.flush()
  }

  /** Writes what is left, in about two seconds at most, and ends. */
  async stop(): Promise<void> {
    await Promise.all(this.#drafts)
    await this.#queue.stop()
  }
}
