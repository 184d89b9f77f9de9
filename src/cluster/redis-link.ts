/** The way to Redis: every call ends in time, and none is made while Redis is away. */
import type { RedisClient } from 'bun'
import { Circuit } from '../lib/resilience/circuit.ts'
import { Teller } from '../lib/teller.ts'
import { afterWaiting, within } from '../lib/within.ts'
import { RedisConnection } from './redis-connection.ts'
import { describeTrouble, diagnoseRedis } from './redis-diagnosis.ts'
import {
  describeRefusal,
  placeOf,
  RedisAwayError,
  RedisSilentError,
  RedisUnableError,
  readRefusal,
} from './redis-errors.ts'

export { RedisAwayError } from './redis-errors.ts'

/** What calls to Redis are told to, to be measured. */
export interface RedisMeter {
  /** @param elapsed ms */
  call(elapsed: number, isFailure: boolean): void
}

export interface RedisLinkOptions {
  readonly url: string
  /** ms a call may take. */
  readonly timeout: number
  /** Hears once that Redis went away, and once that it is back. */
  readonly warn: (message: string) => void
  /** Null when nothing is measured. */
  readonly meter?: RedisMeter | null
}

/** A connection that gave no answer at all for so many timeouts is thrown away. */
const SILENCE = 3
/** ms after it was told that Redis is back in which nothing is told: what comes and goes would fill the log. */
const QUIET = 60_000
/** ms that the end waits for what is still found out, so that a command that is short says why Redis was away. */
const TELLING = 250
/** A replica stays one: the master is found by connecting anew. */
const DEMOTED = 'READONLY'

export class RedisLink {
  readonly #options: RedisLinkOptions
  readonly #connection: RedisConnection
  readonly #circuit: Circuit
  /** When a call began that got no answer, with none to any other since; null when the last one was answered. */
  #silentSince: number | null = null
  readonly #teller: Teller
  #isToldAway = false
  #backAt = Number.NEGATIVE_INFINITY
  #isStopped = false
  #isMute = false

  constructor(options: RedisLinkOptions) {
    this.#options = options
    const { url, timeout, warn } = options
    this.#teller = new Teller((message) => {
      if (!this.#isMute) warn(message)
    })
    this.#connection = new RedisConnection({
      url,
      timeout,
      onUp: () => this.#tell(null),
      onDown: (reason) => this.#tell(reason),
    })
    this.#circuit = new Circuit({
      // A connection that is lost is made anew before anything is asked.
      isAway: (error) => error instanceof RedisSilentError || error instanceof RedisUnableError,
      refuse: () => new RedisAwayError('Redis did not answer lately'),
      // Also called when it opens again: what is told is the change.
      onChange: (failure) => this.#tell(failure?.error),
    })
  }

  /** Connects in the background and goes on trying. Never throws. */
  start(): void {
    this.#connection.start()
  }

  /** Resolves when the first attempt to connect came to an end, whichever: two seconds at most after the start. */
  get attempted(): Promise<void> {
    return this.#connection.attempted
  }

  /** Whether calls are made just now. */
  get isUp(): boolean {
    return this.#connection.client !== null && !this.#circuit.isOpen
  }

  /**
   * Sends a command. One that is rejected may have been done all the same, or may be done later.
   *
   * @throws RedisAwayError when there is no connection, Redis was silent lately, or no answer came in time
   */
  send(command: string, args: readonly string[]): Promise<unknown> {
    const { client } = this.#connection
    if (client === null) return Promise.reject(new RedisAwayError('Redis is not connected'))
    return this.#circuit.run(() => this.#ask(client, command, args))
  }

  #ask(client: RedisClient, command: string, args: readonly string[]): Promise<unknown> {
    const startedAt = performance.now()
    // Not by `within`: an answer that comes too late for who asked still says that Redis is there.
    return new Promise((resolve, reject) => {
      let isOver = false
      const end = (isFailure: boolean) => {
        stopWaiting()
        if (!isOver) this.#options.meter?.call(performance.now() - startedAt, isFailure)
        isOver = true
      }
      const giveUp = () => {
        end(true)
        reject(new RedisSilentError('Redis did not answer in time'))
        this.#onSilence(client, startedAt)
      }
      const stopWaiting = afterWaiting(this.#options.timeout, giveUp)
      client.send(command, [...args]).then(
        (reply) => {
          end(false)
          this.#onAnswer()
          resolve(reply)
        },
        (error: unknown) => {
          end(true)
          const refusal = readRefusal(error)
          if (refusal instanceof RedisUnableError) this.#onRefusal(client, refusal.reason)
          reject(refusal)
        },
      )
    })
  }

  #onAnswer(): void {
    this.#silentSince = null
    this.#connection.settle()
  }

  /** A peer that was frozen, or whose machine is gone, never says goodbye. */
  #onSilence(client: RedisClient, startedAt: number): void {
    this.#silentSince ??= startedAt
    if (performance.now() - this.#silentSince < SILENCE * this.#options.timeout) return
    this.#silentSince = null
    this.#connection.discard(client, new RedisSilentError('Redis did not answer in time'))
  }

  #onRefusal(client: RedisClient, reason: string): void {
    if (reason === DEMOTED) this.#connection.discard(client, new RedisUnableError(reason))
  }

  /** Tells each change once. @param reason by which it is away */
  #tell(reason: unknown): void {
    const isAway = !this.isUp
    if (this.#isStopped || isAway === this.#isToldAway) return
    const now = performance.now()
    if (isAway && now - this.#backAt < QUIET) return
    this.#isToldAway = isAway
    if (!isAway) this.#backAt = now
    const place = `Redis (${placeOf(this.#options.url)})`
    this.#teller.tell(isAway ? this.#explain(reason).then((why) => `${place} is away: ${why}`) : `${place} is back`)
  }

  async #explain(reason: unknown): Promise<string> {
    if (reason instanceof RedisUnableError) return describeRefusal(reason.reason)
    if (reason instanceof RedisSilentError) return `no answer within ${this.#options.timeout} ms`
    const { url } = this.#options
    return describeTrouble(await diagnoseRedis(url), url)
  }

  /** Ends the connection; what is under way is rejected. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#connection.stop()
    await within(TELLING, this.#teller.told)
    this.#isMute = true
  }
}
