/** What a bench is called with that measures several servers: `[--quick] [rounds] [seconds] [variants]`. */

export interface Choice<Variant extends string> {
  readonly isQuick: boolean
  readonly rounds: number
  /** Of each run. */
  readonly seconds: number
  /** Default: all. */
  readonly variants: readonly Variant[]
}

/**
 * A whole number from 1.
 *
 * @throws TypeError for anything else
 */
export function parseCount(word: string, what: string): number {
  if (!/^[1-9]\d*$/.test(word)) throw new TypeError(`${what} are a whole number, not ${word}`)
  return Number(word)
}

/** @throws TypeError when a word is neither a number in its place, nor a variant, nor `--quick` */
export function parseChoice<Variant extends string>(
  words: readonly string[],
  all: readonly Variant[],
  usual: { readonly rounds: number; readonly seconds: number },
): Choice<Variant> {
  const isQuick = words.includes('--quick')
  const given = words.filter((word) => word !== '--quick')
  const names = given.filter((word) => !/^\d/.test(word))
  const [rounds = usual.rounds, seconds = usual.seconds, ...rest] = given.filter((word) => /^\d/.test(word))
  const unknown = [...rest, ...names.filter((name) => !all.some((variant) => variant === name))]
  if (unknown.length > 0) throw new TypeError(`There is no ${unknown.join(', ')}; name some of: ${all.join(', ')}`)
  return {
    isQuick,
    rounds: isQuick ? 1 : parseCount(String(rounds), 'rounds'),
    seconds: isQuick ? 1 : parseCount(String(seconds), 'seconds'),
    variants: names.length === 0 ? all : all.filter((variant) => names.includes(variant)),
  }
}
