/** Bounds the memory of the bodies that are kept until they are looked through. */
import type { HeldBody } from './bodies.ts'

const NONE_LEFT: HeldBody = { kind: 'note', text: '[left out: too many at once]' }

/** Where the body of a request is kept while the request is under way. */
export interface HeldPlace {
  body: HeldBody
}

export class HeldBodies {
  readonly #most: number
  readonly #held = new Set<HeldBody>()
  /** Of requests under way, the oldest first. */
  readonly #underWay = new Set<HeldPlace>()
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
    this.#makeRoom()
    if (this.#bytes >= this.#most) return NONE_LEFT
    const body = take()
    if (body?.kind !== 'held') return body
    this.#held.add(body)
    this.#bytes += body.size
    return body
  }

  /**
   * The same for the body of a request. How long it is, is only what its sender says, who may take for ever to send it:
   * so it keeps its room until others need it.
   */
  holdUnderWay(take: () => HeldBody): HeldPlace {
    const place = { body: this.hold(take) }
    if (place.body?.kind === 'held') this.#underWay.add(place)
    return place
  }

  /** Takes the body of a request that was answered: it keeps its room now. */
  settle(place: HeldPlace): HeldBody {
    this.#underWay.delete(place)
    return place.body
  }

  #makeRoom(): void {
    for (const place of this.#underWay) {
      if (this.#bytes < this.#most) return
      this.#underWay.delete(place)
      this.release(place.body)
      place.body = NONE_LEFT
    }
  }

  /** Gives back the room of a body; once, however often it is called. */
  release(body: HeldBody): void {
    if (body?.kind === 'held' && this.#held.delete(body)) this.#bytes -= body.size
  }
}
