/** Answers to one caller are not answers to another: caches must look at the credentials too. */

/** Headers of an answer as Elysia collects them. */
export type AnswerHeaders = Record<string, string | number | undefined>

const VARY = 'Authorization, Cookie, X-API-Key'

function varyWith(existing: string | number): string {
  const text = String(existing)
  if (text.includes(VARY) || text.trim() === '*') return text
  return `${text}, ${VARY}`
}

/** Adds the credentials to `Vary`, beside what is there. */
export function setVary(headers: AnswerHeaders): void {
  const existing = headers.vary
  headers.vary = existing === undefined || existing === VARY ? VARY : varyWith(existing)
}
