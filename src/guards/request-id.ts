/** Ids for requests that bring none: unique in the process and, by their first part, among processes. */
import { redactShapes } from '../recording/requests/token-shapes.ts'

/** Two digits of base 36, each made once: what changes with every request is then put together from two texts. */
const ENDINGS: readonly string[] = Array.from({ length: 36 ** 2 }, (_, number) => number.toString(36).padStart(2, '0'))

const WELL_FORMED = /^[A-Za-z0-9._-]{8,128}$/

/** The id that the caller gave, when it is well formed and no credential, which logs would keep; else null. */
export function givenRequestId(headers: Headers): string | null {
  const given = headers.get('x-request-id')
  return given !== null && WELL_FORMED.test(given) && redactShapes(given) === given ? given : null
}

export function createRequestIds(): () => string {
  const process = Buffer.from(crypto.getRandomValues(new Uint8Array(9))).toString('base64url')
  let rounds = 0
  let start = `${process}-0`
  let next = 0
  return () => {
    if (next === ENDINGS.length) {
      next = 0
      rounds += 1
      start = `${process}-${rounds.toString(36)}`
    }
    const ending = ENDINGS[next] ?? ''
    next += 1
    return start + ending
  }
}
