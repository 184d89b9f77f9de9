/** Finds what is named by its neighbour in JSON: in `{ "name": "password", "value": "x" }` it is the value of `value`. */
import { decodeString, skipSpace, stringEnd } from './json-scan.ts'
import type { IsSecretName } from './secret-names.ts'

const NAMING = new Set(['name', 'key'])
const NAMED = 'value'

/** Whether there may be any; what is escaped is looked at when it is decoded. */
const MAY_HAVE_PAIRS = /"(?:name|key)"|\\u00/i
const NONE: ReadonlySet<number> = new Set()

/** An object or a list that is being read. */
interface Frame {
  namesSecret: boolean
  /** Where the values of its `value` begin: there may be two. */
  readonly values: number[]
}

/**
 * @param text valid JSON
 * @returns where the values begin whose neighbour `name` or `key` names a secret
 */
export function findPairs(text: string, isSecret: IsSecretName): ReadonlySet<number> {
  if (!MAY_HAVE_PAIRS.test(text)) return NONE
  const found = new Set<number>()
  const frames: Frame[] = []
  function readMember(name: string, value: number): void {
    const frame = frames.at(-1)
    if (frame === undefined) return
    if (name === NAMED) frame.values.push(value)
    else if (NAMING.has(name) && text[value] === '"') {
      frame.namesSecret ||= isSecret(decodeString(text.slice(value, stringEnd(text, value))))
    }
  }
  for (let at = 0; at < text.length; ) {
    const character = text[at]
    if (character === '"') {
      const end = stringEnd(text, at)
      const colon = skipSpace(text, end)
      if (text[colon] === ':') readMember(decodeString(text.slice(at, end)).toLowerCase(), skipSpace(text, colon + 1))
      at = end
      continue
    }
    if (character === '{' || character === '[') frames.push({ namesSecret: false, values: [] })
    if (character === '}' || character === ']') {
      const frame = frames.pop()
      if (frame?.namesSecret === true) for (const value of frame.values) found.add(value)
    }
    at += 1
  }
  return found
}
