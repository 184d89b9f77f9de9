/** What is taken down of a request while it is answered: nothing that changes later, and nothing that is work. */
import type { HeldBody } from './bodies.ts'
import type { RequestFacts } from './logger.ts'

export type HeaderPairs = readonly (readonly [name: string, value: string])[]

/** What a mode that keeps more than metadata takes down. */
export interface Details {
  readonly requestHeaders: HeaderPairs
  readonly requestBody: HeldBody
  readonly responseHeaders: HeaderPairs
  readonly responseBody: HeldBody
}

export interface Draft {
  readonly facts: RequestFacts
  readonly method: string
  /** As it came, with its query. */
  readonly url: string
  /** Epoch ms of the answer. */
  readonly at: number
  /** Null in `metadata_only`. */
  readonly details: Details | null
}

/** Bytes of a draft's own objects, and of each pair, roughly. */
const OWN_SIZE = 800
const PAIR_SIZE = 64

function sizeOfHeaders(pairs: HeaderPairs): number {
  return pairs.reduce((sum, [name, value]) => sum + PAIR_SIZE + name.length + value.length, 0)
}

/** Bytes that a draft keeps in memory, roughly, but for its bodies. */
export function sizeOfDraft({ url, details }: Draft): number {
  const own = OWN_SIZE + url.length
  return details === null ? own : own + sizeOfHeaders(details.requestHeaders) + sizeOfHeaders(details.responseHeaders)
}
