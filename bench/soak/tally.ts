/** What was answered, by what was asked. */
import { Histogram } from './histogram.ts'

/** As it goes from one process to another. */
export interface TallyText {
  readonly answers: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly times: Readonly<Record<string, readonly number[]>>
  readonly wrong: readonly string[]
}

/** Of wrong answers these many are shown. */
const SHOWN = 20

export class Tally {
  /** How often each answer was given, by name. */
  readonly answers = new Map<string, Map<string, number>>()
  readonly times = new Map<string, Histogram>()
  /** Answers that nobody should get, in words. */
  readonly wrong: string[] = []

  /**
   * @param answer such as `401 api_key_invalid`
   * @param duration µs
   */
  note(name: string, answer: string, accepted: readonly string[], duration: number): void {
    this.#count(name, answer, 1)
    this.#timesOf(name).add(duration)
    if (!accepted.includes(answer)) this.wrong.push(`${name} was answered ${answer}`)
  }

  /** Notes that there was no answer. */
  fail(name: string, reason: string): void {
    this.wrong.push(`${name}: ${reason}`)
  }

  add({ answers, times, wrong }: TallyText): void {
    for (const [name, counts] of Object.entries(answers)) {
      for (const [answer, count] of Object.entries(counts)) this.#count(name, answer, count)
    }
    for (const [name, counts] of Object.entries(times)) this.#timesOf(name).merge(new Histogram(counts))
    this.wrong.push(...wrong.slice(0, SHOWN))
  }

  get total(): number {
    return [...this.answers.values()].flatMap((counts) => [...counts.values()]).reduce((sum, count) => sum + count, 0)
  }

  /** Of all names together. */
  get all(): Histogram {
    const all = new Histogram()
    for (const times of this.times.values()) all.merge(times)
    return all
  }

  toJSON(): TallyText {
    return {
      answers: Object.fromEntries([...this.answers].map(([name, counts]) => [name, Object.fromEntries(counts)])),
      times: Object.fromEntries([...this.times].map(([name, times]) => [name, times.toJSON()])),
      wrong: this.wrong.slice(0, SHOWN),
    }
  }

  #count(name: string, answer: string, count: number): void {
    const counts = this.answers.get(name) ?? new Map<string, number>()
    this.answers.set(name, counts.set(answer, (counts.get(answer) ?? 0) + count))
  }

  #timesOf(name: string): Histogram {
    const times = this.times.get(name) ?? new Histogram()
    this.times.set(name, times)
    return times
  }
}
