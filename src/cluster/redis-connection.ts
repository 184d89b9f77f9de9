/**
 * One connection to Redis after the other, each by a new client: Bun's own reconnecting brings a subscriber back without
 * its subscriptions, and a server that was frozen never says goodbye.
 */
import { RedisClient } from 'bun'
import { Backoff } from '../lib/resilience/backoff.ts'
import { within } from '../lib/within.ts'

/** ms. */
const PAUSES = { first: 100, longest: 2000 } as const
/** ms for making a connection, where a call may take less: TLS asks back and forth. */
const CONNECTING = 2000

export interface RedisConnectionOptions {
  readonly url: string
  /** ms a call may take. */
  readonly timeout: number
  /** A new connection, before it is used; what it is rejected with counts as not connected. */
  readonly prepare?: (client: RedisClient) => Promise<unknown>
  /** Hears of each connection that is made. */
  readonly onUp: (client: RedisClient) => void
  /** Hears of a connection that is lost, and of each attempt that failed. @param reason what it is known by */
  readonly onDown: (reason: unknown) => void
}

export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #backoff = new Backoff(PAUSES)
  /** Connected or about to be. */
  #client: RedisClient | null = null
  #isConnected = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #isStopped = false
  readonly #attempted = Promise.withResolvers<void>()

  constructor(options: RedisConnectionOptions) {
    this.#options = options
  }

  /** Null while there is no connection. */
  get client(): RedisClient | null {
    return this.#isConnected ? this.#client : null
  }

  /** Resolves when the first attempt came to an end, whichever. */
  get attempted(): Promise<void> {
    return this.#attempted.promise
  }

  /** Connects in the background, and goes on trying. Never throws. */
  start(): void {
    if (this.#client === null && this.#timer === undefined && !this.#isStopped) void this.#connect()
  }

  /** Throws a connection away that answers no more, and makes a new one. */
  discard(client: RedisClient, reason: unknown): void {
    if (client !== this.#client) return
    this.#client = null
    this.#isConnected = false
    client.close()
    this.#attempted.resolve()
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.#connect(), this.#backoff.next())
    this.#timer.unref()
    this.#options.onDown(reason)
  }

  /** What was answered lately is no sign of the next outage: the pauses begin with a short one again. */
  settle(): void {
    this.#backoff.reset()
  }

  async #connect(): Promise<void> {
    this.#timer = undefined
    const { url, timeout, prepare, onUp } = this.#options
    const patience = Math.max(timeout, CONNECTING)
    const client = new RedisClient(url, {
      autoReconnect: false,
      // What was queued would be done minutes later.
      enableOfflineQueue: false,
      connectionTimeout: patience,
    })
    this.#client = client
    client.onclose = (reason) => this.discard(client, reason)
    try {
      const connected = client.connect().then(() => prepare?.(client))
      if (!(await within(patience, connected))) throw new Error('No connection was made in time')
      if (client !== this.#client) return
      this.#isConnected = true
    } catch (reason) {
      this.discard(client, reason)
      return
    }
    onUp(client)
    this.#attempted.resolve()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#attempted.resolve()
    if (this.#client !== null) this.discard(this.#client, null)
  }
}
