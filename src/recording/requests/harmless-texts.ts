/**
 * Remembers header values in which nothing is secret: requests have the same few again and again, and to look through
 * one takes a microsecond. What was redacted is not kept.
 */
import { redactText } from './redaction.ts'
import type { IsSecretName } from './secret-names.ts'

/** Texts that are kept for each kind of request at most, and characters of each. */
const MOST = 1000
const LONGEST = 256

/** What is harmless depends on which names are secret. */
const known = new WeakMap<IsSecretName, Set<string>>()

function textsOf(isSecret: IsSecretName): Set<string> {
  let texts = known.get(isSecret)
  if (texts === undefined) {
    texts = new Set()
    known.set(isSecret, texts)
  }
  return texts
}

/** As `redactText`. */
export function redactRepeated(text: string, isSecret: IsSecretName): string {
  if (text.length > LONGEST) return redactText(text, isSecret)
  const texts = textsOf(isSecret)
  if (texts.has(text)) return text
  const left = redactText(text, isSecret)
  if (left !== text) return left
  // Whoever sends another text each time makes the others be looked through again, and nothing grow.
  if (texts.size >= MOST) texts.clear()
  texts.add(text)
  return text
}
