/**
 * What is kept of a body: a small text in memory. Nothing else is touched: not what is unfinished, streamed, binary or
 * large, and never before the answer is known.
 */
import { copyOf } from './answer-copies.ts'
import { type ReadBody, readOnce, readStream } from './body-reader.ts'
import { memorySizeOf } from './memory-size.ts'
import type { BodyForm } from './redaction.ts'

/** A body that may be kept; a note where it is not; null where there is none. */
export type HeldBody =
  | { readonly kind: 'held'; readonly form: BodyForm; readonly size: number; readonly read: ReadBody }
  | { readonly kind: 'note'; readonly text: string }
  | null

const CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii', 'iso-8859-1', 'latin1', 'windows-1252'])

const FORMS: readonly (readonly [RegExp, BodyForm])[] = [
  [/^application\/(?:[a-z0-9.-]{1,64}\+)?json$/, 'json'],
  [/^application\/x-www-form-urlencoded$/, 'form'],
  [/^text\//, 'text'],
  [/^application\/(?:(?:[a-z0-9.-]{1,64}\+)?xml|x-ndjson|json-seq|graphql|javascript|yaml|x-yaml)$/, 'text'],
]

const EVENTS = 'text/event-stream'

function note(what: string, size?: number | string | null): HeldBody {
  return { kind: 'note', text: size === undefined || size === null ? `[${what}]` : `[${what}, ${size} bytes]` }
}

/** How a body of this type is read; a word for why not. */
function formOf(headers: Headers): { readonly form: BodyForm } | { readonly not: string } {
  const [essence = '', ...parameters] = (headers.get('content-type') ?? '').slice(0, 256).toLowerCase().split(';')
  const type = essence.trim()
  if (type.startsWith('multipart/')) return { not: 'multipart' }
  if (type === EVENTS) return { not: 'stream' }
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') return { not: 'compressed' }
  const form = FORMS.find(([expression]) => expression.test(type))?.[1]
  if (form === undefined) return { not: 'binary' }
  const charset = parameters.find((each) => each.trim().startsWith('charset='))
  const named = charset?.trim().slice(8).replaceAll('"', '') ?? 'utf-8'
  return CHARSETS.has(named) ? { form } : { not: 'of another charset' }
}

/**
 * Takes a copy of a request's body that nobody has read, to be read once a handler has read the original.
 *
 * @param most bytes of a body that may be copied
 */
export function holdRequestBody(request: Request, most: number): HeldBody {
  const { headers } = request
  const length = headers.get('content-length')
  if (length === '0' || (length === null && headers.get('transfer-encoding') === null)) return null
  const read = formOf(headers)
  if ('not' in read) return note(read.not, length)
  // A chunked one may be endless: its copy would hold all that the handler reads.
  if (length === null) return note('of unknown length')
  const size = Number(length)
  if (!(size <= most)) return note('large', length)
  if (request.bodyUsed) return note('read before')
  return { kind: 'held', form: read.form, size, read: readOnce(request.clone()) }
}

/** A stream is kept if it was none before, or says how long it is: else it may be endless. */
function holdStream(answer: Response, form: BodyForm, most: number): HeldBody {
  const kept = copyOf(answer)
  if (kept !== undefined)
    return kept.copy === null ? note('large', kept.size) : holdCopy(kept.copy, form, kept.size, most)
  const length = answer.headers.get('content-length') ?? ''
  if (!/^\d{1,12}$/.test(length) || answer.bodyUsed || answer.body?.locked === true) return note('stream')
  const size = Number(length)
  if (size > most) return note('large', size)
  const { body } = answer.clone()
  return body === null ? null : { kind: 'held', form, size, read: readStream(body, size) }
}

function holdCopy(copy: Response, form: BodyForm, size: number, most: number): HeldBody {
  return size > most ? note('large', size) : { kind: 'held', form, size, read: readOnce(copy) }
}

/** Takes a copy of an answer's body. @param most bytes of a body that may be copied */
export function holdAnswerBody(answer: Response, method: string, most: number): HeldBody {
  const { headers, status } = answer
  if (method === 'HEAD' || status === 204 || status === 304) return null
  const size = memorySizeOf(answer)
  if (size === 'none' || size === 0) return null
  // A text without a type is what Bun sends as text.
  const read = headers.has('content-type') ? formOf(headers) : ({ form: 'text' } as const)
  const length = headers.get('content-length')
  if ('not' in read) return note(read.not, length)
  if (size === 'unknown') return note('not in memory', length)
  if (headers.has('transfer-encoding')) return note('stream')
  if (size === 'stream') return holdStream(answer, read.form, most)
  if (size > most) return note('large', size)
  return { kind: 'held', form: read.form, size, read: readOnce(answer.clone()) }
}

/** Whether anything is kept of bodies. */
export function keepsBodies({ mode, maxBody }: { readonly mode: string; readonly maxBody: number }): boolean {
  return (mode === 'redacted' || mode === 'raw') && maxBody > 0
}

/** What no text holds: NUL, and bytes that are no UTF-8. */
const BINARY = /[\0\ufffd]/

export function isBinary(text: string): boolean {
  return BINARY.test(text)
}

/** Cuts a text to bytes of UTF-8, between two characters, and says so. */
export function cutToBytes(text: string, most: number): string {
  if (text.length * 3 <= most) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return text
  let end = most
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return `${bytes.toString('utf8', 0, end)} [cut, ${bytes.length} bytes]`
}
