/** Makes the entry of a request. */
import { randomBase62 } from '../../lib/base62.ts'
import type { RequestLogRecord } from '../../storage/records.ts'
import { cutToBytes, type HeldBody, isBinary, readHeld } from './bodies.ts'
import type { RequestFacts } from './logger.ts'
import { redactBody, redactPath, redactQuery, redactText } from './redaction.ts'
import type { IsSecretName } from './secret-names.ts'
import { REDACTED } from './token-shapes.ts'

const ID_LENGTH = 16
/** Characters. */
const MOST_OF_PATH = 2048
const MOST_OF_HEADER = 1024
const MOST_OF_METHOD = 32
const MOST_HEADERS = 100

export type HeaderPairs = readonly (readonly [name: string, value: string])[]

/** What a mode that keeps more than metadata takes down of a request. */
export interface Details {
  readonly query: string | null
  readonly requestHeaders: HeaderPairs
  readonly requestBody: HeldBody
  readonly responseHeaders: HeaderPairs
  readonly responseBody: HeldBody
}

/** @param isSecret null where nothing is */
export function createEntry(
  { elapsed, ...facts }: RequestFacts,
  { method, path, at }: { readonly method: string; readonly path: string; readonly at: number },
  isSecret: IsSecretName | null,
): RequestLogRecord {
  return {
    id: `log_${randomBase62(ID_LENGTH)}`,
    at,
    method: method.slice(0, MOST_OF_METHOD),
    path: (isSecret === null ? path : redactPath(path)).slice(0, MOST_OF_PATH),
    duration: elapsed > 0 ? Math.round(elapsed * 1000) : 0,
    ...facts,
    query: null,
    requestHeaders: null,
    requestBody: null,
    responseHeaders: null,
    responseBody: null,
  }
}

function keepHeaders(pairs: HeaderPairs, isSecret: IsSecretName | null): Readonly<Record<string, string>> {
  const kept = pairs.slice(0, MOST_HEADERS).map(([name, value]) => {
    // Before it is cut: half a secret is not recognized.
    const shown = isSecret === null ? value : isSecret(name) ? REDACTED : redactText(value, isSecret)
    return [name.slice(0, MOST_OF_HEADER), shown.slice(0, MOST_OF_HEADER)] as const
  })
  return Object.fromEntries(kept)
}

async function keepBody(held: HeldBody, isSecret: IsSecretName | null, most: number): Promise<string | null> {
  if (held === null) return null
  if (held.kind === 'note') return held.text
  const text = await readHeld(held.copy)
  if (text === null) return '[unfinished]'
  if (isBinary(text)) return `[binary, ${held.size} bytes]`
  return cutToBytes(isSecret === null ? text : redactBody(held.form, text, isSecret), most)
}

/** @param maxBody bytes of each body */
export async function addDetails(
  entry: RequestLogRecord,
  details: Details,
  isSecret: IsSecretName | null,
  maxBody: number,
): Promise<RequestLogRecord> {
  const { query, requestHeaders, responseHeaders } = details
  return {
    ...entry,
    query: query && (isSecret === null ? query : redactQuery(query, isSecret)).slice(0, MOST_OF_PATH),
    requestHeaders: keepHeaders(requestHeaders, isSecret),
    requestBody: await keepBody(details.requestBody, isSecret, maxBody),
    responseHeaders: keepHeaders(responseHeaders, isSecret),
    responseBody: await keepBody(details.responseBody, isSecret, maxBody),
  }
}

/** Characters that an entry holds, roughly. */
export function weighEntry(entry: RequestLogRecord): number {
  const headers = [entry.requestHeaders, entry.responseHeaders].flatMap((each) => Object.values(each ?? {}))
  const texts = [entry.path, entry.query, entry.requestBody, entry.responseBody, ...headers]
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 500)
}
