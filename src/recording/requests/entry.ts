/** Makes the entry of a request, once it is out of the way. */
import { encodeBase62, randomBase62 } from '../../lib/base62.ts'
import { requestPath } from '../../lib/path.ts'
import type { RequestLogRecord } from '../../storage/records.ts'
import { cutToBytes, type HeldBody, isBinary } from './bodies.ts'
import type { Details, Draft, HeaderPairs } from './draft.ts'
import { redactRepeated } from './harmless-texts.ts'
import { redactBody, redactPath, redactQuery } from './redaction.ts'
import type { Secrecy } from './secrecy.ts'
import type { IsSecretName } from './secret-names.ts'
import { REDACTED } from './token-shapes.ts'
import type { Turn } from './turn.ts'

/** Characters of an id: of its time, and random ones. */
const TIME_LENGTH = 8
const RANDOM_LENGTH = 8
/** Characters. */
const MOST_OF_PATH = 2048
const MOST_OF_HEADER = 1024
const MOST_OF_METHOD = 32
const MOST_HEADERS = 100

/** Ids that grow with time are added at one end of their index, which halves what it costs to write an entry. */
function idAt(at: number): string {
  return `log_${encodeBase62(Math.max(0, at), TIME_LENGTH)}${randomBase62(RANDOM_LENGTH)}`
}

/** What an entry has in every mode. */
export function createEntry({ facts, method, url, at }: Draft, secrecy: Secrecy): RequestLogRecord {
  const { elapsed, ...rest } = facts
  const path = requestPath(url)
  return {
    id: idAt(at),
    at,
    method: method.slice(0, MOST_OF_METHOD),
    path: (secrecy(path) === null ? path : redactPath(path)).slice(0, MOST_OF_PATH),
    duration: elapsed > 0 ? Math.round(elapsed * 1000) : 0,
    ...rest,
    query: null,
    requestHeaders: null,
    requestBody: null,
    responseHeaders: null,
    responseBody: null,
  }
}

function keepQuery(url: string, isSecret: IsSecretName | null): string | null {
  const start = url.indexOf('?')
  if (start === -1) return null
  const query = url.slice(start + 1)
  return (isSecret === null ? query : redactQuery(query, isSecret)).slice(0, MOST_OF_PATH)
}

function keepHeaders(pairs: HeaderPairs, isSecret: IsSecretName | null): Readonly<Record<string, string>> {
  const kept = pairs.slice(0, MOST_HEADERS).map(([name, value]) => {
    // Before it is cut: half a secret is not recognized.
    const shown = isSecret === null ? value : isSecret(name) ? REDACTED : redactRepeated(value, isSecret)
    return [name.slice(0, MOST_OF_HEADER), shown.slice(0, MOST_OF_HEADER)] as const
  })
  return Object.fromEntries(kept)
}

async function keepBody(held: HeldBody, isSecret: IsSecretName | null, most: number): Promise<string | null> {
  if (held === null) return null
  if (held.kind === 'note') return held.text
  const text = await held.read()
  if (text === null) return '[unfinished]'
  if (isBinary(text)) return `[binary, ${held.size} bytes]`
  return cutToBytes(isSecret === null ? text : redactBody(held.form, text, isSecret), most)
}

/**
 * The entry with all that a mode keeps besides.
 *
 * @param maxBody bytes of each body
 * @param turn rests between two bodies
 */
export async function createDetailedEntry(
  draft: Draft,
  { requestHeaders, requestBody, responseHeaders, responseBody }: Details,
  secrecy: Secrecy,
  maxBody: number,
  turn: Turn,
): Promise<RequestLogRecord> {
  const isSecret = secrecy(requestPath(draft.url))
  const entry = {
    ...createEntry(draft, secrecy),
    query: keepQuery(draft.url, isSecret),
    requestHeaders: keepHeaders(requestHeaders, isSecret),
    responseHeaders: keepHeaders(responseHeaders, isSecret),
    requestBody: await keepBody(requestBody, isSecret, maxBody),
  }
  await turn.rest()
  return { ...entry, responseBody: await keepBody(responseBody, isSecret, maxBody) }
}

function weighHeaders(headers: Readonly<Record<string, string>> | null): number {
  if (headers === null) return 0
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
}

/** Characters that an entry holds, roughly. */
export function weighEntry(entry: RequestLogRecord): number {
  const { path, query, requestBody, responseBody } = entry
  const texts = path.length + (query?.length ?? 0) + (requestBody?.length ?? 0) + (responseBody?.length ?? 0)
  return 500 + texts + weighHeaders(entry.requestHeaders) + weighHeaders(entry.responseHeaders)
}
