/** Bounds the memory of the bodies that are kept until they are looked through. */
import type { HeldBody } from './bodies.ts'

const NONE_LEFT: HeldBody = { kind: 'note', text: '[left out: too many at once]' }

export class HeldBodies {
  readonly #most: number
  readonly #held = new Set<HeldBody>()
  #bytes = 0

  /** @param most bytes of all of them together */
  constructor(most: number) {
    this.#most = most
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes a body if there is room; says so in its place if there is none. */
  hold(take: () => HeldBody): HeldBody {
    if (this.#bytes >= this.#most) return NONE_LEFT
    const body = take()
    if (body?.kind !== 'held') return body
    this.#held.add(body)
    this.#bytes += body.size
    return body
  }

  /** Gives back the room of a body; once, however often it is called. */
  release(body: HeldBody): void {
    if (body?.kind === 'held' && this.#held.delete(body)) this.#bytes -= body.size
  }
}
