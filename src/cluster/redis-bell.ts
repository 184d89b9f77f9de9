/** Tells of changes by a channel of Redis, and hears there what others changed. */
import type { RedisClient } from 'bun'
import { within } from '../lib/within.ts'
import type { Change, ChangeBell } from './change-bell.ts'
import { formatChange, parseChange } from './change-message.ts'
import { RedisConnection } from './redis-connection.ts'
import { placeOf } from './redis-errors.ts'
import type { RedisLink } from './redis-link.ts'

/** ms between looks whether the connection still carries anything, and how many others listen. */
const HEARTBEAT = 5000
/** ms that the end may wait for messages under way. */
const PATIENCE = 3000
/** Attempts in a row that fail while other calls are answered: then it is told. */
const FAILURES = 3
/** What Redis refuses a channel with that the user may not hear. */
const FORBIDDEN = /^NOPERM\b/

export interface RedisBellOptions {
  /** Tells; hearing takes a connection of its own. */
  readonly link: Pick<RedisLink, 'attempted' | 'send' | 'isUp'>
  readonly url: string
  /** The same in all processes of an app, different for every two apps. */
  readonly channel: string
  /** ms a call may take. */
  readonly timeout: number
  readonly warn: (message: string) => void
  /** ms. */
  readonly heartbeat?: number
}

export class RedisBell implements ChangeBell {
  readonly #options: RedisBellOptions
  readonly #connection: RedisConnection
  #onChange: (change: Change) => void = () => undefined
  #timer: ReturnType<typeof setInterval> | undefined
  /** Messages under way. */
  readonly #ringing = new Set<Promise<unknown>>()
  #listeners = 1
  #lastCount: number | null = null
  #failures = 0
  #isTold = false

  constructor(options: RedisBellOptions) {
    this.#options = options
    const { url, timeout, channel } = options
    this.#connection = new RedisConnection({
      url,
      timeout,
      // Subscribed before it counts as connected: a client that is made anew never forgets it.
      prepare: (client) => client.subscribe(channel, (message) => this.#hear(message)),
      onUp: () => this.#onUp(),
      onDown: (reason) => this.#onDown(reason),
    })
  }

  start(onChange: (change: Change) => void): void {
    this.#onChange = onChange
    this.#connection.start()
    this.#timer ??= setInterval(() => void this.#beat(), this.#options.heartbeat ?? HEARTBEAT)
    this.#timer.unref()
  }

  get isHeard(): boolean {
    return this.#connection.client !== null
  }

  /** How many processes were last seen to listen: one at least, and the last number while Redis is away. */
  get listeners(): number {
    return this.#listeners
  }

  ring(change: Change): void {
    // One that is lost costs others less than a second: they read the log.
    const ringing = this.#publish(formatChange(change)).catch(() => undefined)
    this.#ringing.add(ringing)
    void ringing.then(() => this.#ringing.delete(ringing))
  }

  async #publish(message: string): Promise<void> {
    const { link, channel } = this.#options
    // A command line is done with its work before it is connected.
    await link.attempted
    await link.send('PUBLISH', [channel, message])
  }

  #hear(message: string): void {
    const change = parseChange(message)
    if (change !== null) this.#onChange(change)
  }

  #onUp(): void {
    this.#failures = 0
    if (this.#isTold) this.#warn('tells of changes again')
    this.#isTold = false
    this.#connection.settle()
    if (this.#lastCount === null) void this.#options.link.attempted.then(() => this.#count())
  }

  /** That Redis is away is told by the link. */
  #onDown(reason: unknown): void {
    this.#failures = this.#options.link.isUp ? this.#failures + 1 : 0
    if (this.#failures < FAILURES || this.#isTold) return
    this.#isTold = true
    const isForbidden = reason instanceof Error && FORBIDDEN.test(reason.message)
    const why = isForbidden
      ? `the user may not subscribe to ${this.#options.channel} (NOPERM)`
      : 'a connection for hearing is not made or does not last'
    this.#warn(`tells of no changes: ${why}. What other processes revoke is read from the database, within a second`)
  }

  #warn(what: string): void {
    this.#options.warn(`Redis (${placeOf(this.#options.url)}) ${what}`)
  }

  async #beat(): Promise<void> {
    const { client } = this.#connection
    if (client === null) return
    if (await this.#isAlive(client)) await this.#count()
    else this.#connection.discard(client, null)
  }

  /** A peer that was frozen, or whose machine is gone, never says goodbye. */
  async #isAlive(client: RedisClient): Promise<boolean> {
    try {
      return await within(this.#options.timeout, client.ping())
    } catch {
      return false
    }
  }

  async #count(): Promise<void> {
    const { link, channel } = this.#options
    const reply = await link.send('PUBSUB', ['NUMSUB', channel]).catch(() => null)
    const count = Array.isArray(reply) ? Number(reply[1]) : Number.NaN
    if (!Number.isSafeInteger(count)) return
    // The larger of two: after an outage not all have come back when the first one looks.
    this.#listeners = Math.max(1, count, this.#lastCount ?? 0)
    this.#lastCount = count
  }

  /** Waits for messages under way, three seconds at most. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#connection.stop()
    if (this.#ringing.size > 0) await within(PATIENCE, Promise.all(this.#ringing))
  }
}
