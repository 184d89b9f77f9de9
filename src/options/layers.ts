/** Where options come from: code over config file over environment. */

import { isPlainObject, type PlainObject } from '../lib/plain-object.ts'
import type { OptionPath } from './mistakes.ts'

export interface Layer {
  readonly options: PlainObject
  /** The file or environment variable that gave an option; undefined for code. */
  readonly sourceOf: (option: string) => string | undefined
}

/**
 * Merges layers, the first over the others. Members of groups (`jwt.issuer`) are merged one by one; lists and everything
 * deeper are taken whole.
 */
export function mergeLayers(layers: readonly Layer[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {}
  for (const { options } of layers.toReversed()) {
    for (const [name, value] of Object.entries(options)) {
      const below = merged[name]
      const isMerged = isPlainObject(below) && isPlainObject(value)
      merged[name] = isMerged ? { ...below, ...value } : value
    }
  }
  return merged
}

function gives(options: PlainObject, option: string, member: string | undefined): boolean {
  if (!Object.hasOwn(options, option)) return false
  const value = options[option]
  return member === undefined || !isPlainObject(value) || Object.hasOwn(value, member)
}

/** Finds which file or environment variable gave an option; undefined for code, and for what nobody gave. */
export function sourceIn(layers: readonly Layer[], [option = '', member]: OptionPath): string | undefined {
  const layer =
    layers.find(({ options }) => gives(options, option, member)) ??
    layers.find(({ options }) => gives(options, option, undefined))
  return layer?.sourceOf(option)
}
