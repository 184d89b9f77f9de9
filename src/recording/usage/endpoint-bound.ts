/** Bounds how many endpoints are reported of a key: somebody who reports paths instead of patterns makes rows without end. */
import { DAY } from '../../lib/time-units.ts'

/** Of one key and day (UTC); as many as are shown of it. */
export const MOST_ENDPOINTS = 200
/** Keys that are remembered; of the others it is as if they had reported nothing yet. */
const MOST_KEYS = 1000

interface Known {
  readonly day: number
  /** Hashes, which take less room than what somebody reports. */
  readonly endpoints: Set<number | bigint>
}

/** Knows what this process was told, and asks no database. */
export class EndpointBound {
  /** The one that was reported last is the last one. */
  readonly #keys = new Map<string, Known>()

  get size(): number {
    return this.#keys.size
  }

  /**
   * Whether there is room for an endpoint, or it is known; notes it then.
   *
   * @param now epoch ms
   */
  admits(keyId: string, endpoint: string, now: number): boolean {
    const { endpoints } = this.#knownOf(keyId, Math.floor(now / DAY))
    const hash = Bun.hash(endpoint)
    if (endpoints.has(hash)) return true
    if (endpoints.size >= MOST_ENDPOINTS) return false
    endpoints.add(hash)
    return true
  }

  #knownOf(keyId: string, day: number): Known {
    const found = this.#keys.get(keyId)
    const known = found?.day === day ? found : { day, endpoints: new Set<number | bigint>() }
    this.#keys.delete(keyId)
    this.#keys.set(keyId, known)
    const [oldest] = this.#keys.keys()
    if (this.#keys.size > MOST_KEYS && oldest !== undefined) this.#keys.delete(oldest)
    return known
  }
}
