/** Counts how long storage takes, and how often it fails. */
import type { PortName, StorageMeter } from '../../storage/observed.ts'
import { Distribution } from './distribution.ts'

/** ms; a prepared statement on SQLite takes a few hundredths, and the last is when a verb gives up. */
const BOUNDS = [0.05, 0.1, 0.5, 1, 5, 10, 50, 100, 500, 1000, 10_000] as const

export interface PortCounts {
  readonly durations: Distribution
  failures: number
}

export class StorageCounts implements StorageMeter {
  readonly #ports = new Map<PortName, PortCounts>()

  /** As many as storage has ports. */
  get ports(): ReadonlyMap<PortName, PortCounts> {
    return this.#ports
  }

  verb(port: PortName, elapsed: number, isFailure: boolean): void {
    let counts = this.#ports.get(port)
    if (counts === undefined) {
      counts = { durations: new Distribution(BOUNDS), failures: 0 }
      this.#ports.set(port, counts)
    }
    counts.durations.add(elapsed)
    if (isFailure) counts.failures += 1
  }
}
