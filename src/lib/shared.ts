/** Equal values as one: what a hundred thousand remembered credentials have in common need not be there as often. */

/** Of each sort; then it begins anew, and what was handed out stays right. */
const MOST = 10_000

export class Shared {
  readonly #texts = new Map<string, string>()
  readonly #lists = new Map<string, readonly string[]>()

  text<T extends string | null>(text: T): T | string {
    return text === null ? text : keep(this.#texts, text, text)
  }

  /** Frozen: nobody changes what others have too. */
  list(list: readonly string[]): readonly string[] {
    const name = JSON.stringify(list)
    return this.#lists.get(name) ?? keep(this.#lists, name, Object.freeze([...list]))
  }
}

function keep<V>(known: Map<string, V>, name: string, value: V): V {
  const first = known.get(name)
  if (first !== undefined) return first
  if (known.size >= MOST) known.clear()
  known.set(name, value)
  return value
}
