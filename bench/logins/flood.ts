/** A flood of logins, half of them right, each of another address: the worst, since none of them is throttled. */
import { quantile } from '../median.ts'
import { type Fixtures, PASSWORD } from './server.ts'

/** Connections, each of which tries again after a pause (ms), whatever it was told. */
const CONNECTIONS = 100
const PAUSE = 20

export interface FloodFigures {
  readonly attempts: number
  /** Passwords that were looked at. */
  readonly verified: number
  /** 429 with `Retry-After`. */
  readonly refused: number
  /** Anything else, which there must not be. */
  readonly other: number
  /** ms that a login took whose password was looked at. */
  readonly p99: number
}

/** What is answered to a login whose password was looked at. */
const VERIFIED: ReadonlySet<number> = new Set([200, 401])

function addressOf(index: number): string {
  return `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`
}

export class Flood {
  readonly #url: string
  readonly #emails: readonly string[]
  readonly #took: number[] = []
  #attempts = 0
  #refused = 0
  #other = 0
  #isOver = false
  #running: Promise<unknown> | null = null

  constructor({ port, emails }: Fixtures) {
    this.#url = `http://127.0.0.1:${port}/auth/login`
    this.#emails = emails
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: CONNECTIONS }, () => this.#attemptAgain()))
  }

  async stop(): Promise<FloodFigures> {
    this.#isOver = true
    await this.#running
    return {
      attempts: this.#attempts,
      verified: this.#took.length,
      refused: this.#refused,
      other: this.#other,
      p99: quantile(this.#took, 0.99),
    }
  }

  async #attemptAgain(): Promise<void> {
    while (!this.#isOver) {
      await this.#attempt()
      await Bun.sleep(PAUSE)
    }
  }

  async #attempt(): Promise<void> {
    const index = this.#attempts
    this.#attempts += 1
    const isRight = index % 2 === 0
    const email = isRight ? this.#emails[(index / 2) % this.#emails.length] : `nobody-${index}@example.com`
    const start = performance.now()
    const answer = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': addressOf(index) },
      body: JSON.stringify({ email, password: PASSWORD }),
    })
    await answer.arrayBuffer()
    if (VERIFIED.has(answer.status)) this.#took.push(performance.now() - start)
    else if (answer.status === 429 && answer.headers.has('retry-after')) this.#refused += 1
    else this.#other += 1
  }
}
