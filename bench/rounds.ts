/** Measures several servers in interleaved rounds, so that a machine that slows down slows all of them down. */
import { median } from './median.ts'
import type { Report } from './report.ts'
import type { Reading } from './wrk.ts'

export class Rounds<Name extends string> {
  readonly #readings = new Map<Name, Reading[]>()

  add(name: Name, reading: Reading): void {
    const readings = this.#readings.get(name) ?? []
    readings.push(reading)
    this.#readings.set(name, readings)
  }

  /** The median of all rounds. */
  of(name: Name, member: keyof Reading): number {
    return median((this.#readings.get(name) ?? []).map((reading) => reading[member]))
  }

  /** How many times as much as another, round by round, and the median of that; above 1 is faster, for `p99` slower. */
  ratio(name: Name, other: Name, member: keyof Reading): number {
    const others = this.#readings.get(other) ?? []
    const ratios = (this.#readings.get(name) ?? []).map(
      (reading, round) => reading[member] / (others[round]?.[member] ?? Number.NaN),
    )
    return median(member === 'cpu' ? ratios.map((ratio) => 1 / ratio) : ratios)
  }
}

/** @param measure answers a reading of one server */
export async function measureInRounds<Name extends string>(
  names: readonly Name[],
  rounds: number,
  report: Report,
  measure: (name: Name) => Promise<Reading>,
): Promise<Rounds<Name>> {
  const measured = new Rounds<Name>()
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of names) {
      report.progress(`round ${round}/${rounds}: ${name}`)
      measured.add(name, await measure(name))
    }
  }
  return measured
}
