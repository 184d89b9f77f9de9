/** Reads the body of our own endpoints: bounded in size, and strict about what it is. */
import { MachineAuthError } from '../errors.ts'
import { UNSAFE_MEMBERS } from '../lib/unsafe-members.ts'

/** What the bodies of some endpoints may be. */
export interface BodyRule {
  /** Bytes. */
  readonly most: number
  /** A list of 1 to `MAX_ENTRIES`, or an object, which may be missing. */
  readonly shape: 'object' | 'list'
}

/** No body of ours comes near it. */
export const OBJECT_BODY: BodyRule = { most: 64 * 1024, shape: 'object' }

/** So many entries of half a kilobyte each. */
export const LIST_BODY: BodyRule = { most: 512 * 1024, shape: 'list' }

/** Metadata has 16 levels. Elysia writes wrong bodies out with an indent for each level. */
const MAX_DEPTH = 32

/** Of a body's members, and of the lists among them; the longest list that is taken within an object has 200. */
const MAX_ENTRIES = 1000

async function readText(request: Request, most: number): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > most) throw new MachineAuthError('body_too_large')
  const chunks: Uint8Array[] = []
  let size = 0
  // A body of unknown length is counted as it comes.
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > most) throw new MachineAuthError('body_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isJson(contentType: string | null): boolean {
  return contentType === null || /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i.test(contentType)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new MachineAuthError('request_malformed', { detail: 'The body is not valid JSON.' })
  }
}

function isTooLong(value: unknown): boolean {
  return Array.isArray(value) && value.length > MAX_ENTRIES
}

/** Thousands of wrong entries would be validated, and answered, one by one. */
function hasTooManyEntries(body: object): boolean {
  if (isTooLong(body)) return true
  const members: readonly unknown[] = Object.values(body)
  return isTooLong(members) || members.some(isTooLong)
}

function refuseShape(detail: string, message: string): MachineAuthError {
  return new MachineAuthError('validation_failed', { detail, errors: [{ path: 'body', message }] })
}

/** Elysia would take an array for an object without members. */
function requireShape(body: unknown, shape: BodyRule['shape']): object {
  const isList = Array.isArray(body)
  if (typeof body !== 'object' || body === null || isList !== (shape === 'list')) {
    const accepted = shape === 'list' ? 'a JSON array' : 'a JSON object'
    throw refuseShape(`The body must be ${accepted}.`, `must be ${accepted}`)
  }
  if (isList && body.length === 0) throw refuseShape('The body has no entries.', 'must have at least one entry')
  if (hasTooManyEntries(body)) {
    const accepted = isList ? `at most ${MAX_ENTRIES} entries` : `at most ${MAX_ENTRIES} members, and in each list`
    throw refuseShape('The body has too many entries.', `must have ${accepted}`)
  }
  return body
}

/**
 * Refuses what is nested too deeply, and member names that could reach a prototype when somebody merges objects later,
 * and `toString`: Elysia writes wrong values into its messages, and throws where one cannot be made a text.
 */
function requireHarmless(value: unknown, levels = MAX_DEPTH): void {
  if (typeof value !== 'object' || value === null) return
  if (levels === 0) throw refuseShape('The body is nested too deeply.', `must be at most ${MAX_DEPTH} levels deep`)
  if (Array.isArray(value)) {
    for (const entry of value) requireHarmless(entry, levels - 1)
    return
  }
  for (const [name, member] of Object.entries(value)) {
    if (UNSAFE_MEMBERS.has(name) || name === 'toString') {
      throw refuseShape('A member name of the body is not allowed.', 'must not have a member of that name')
    }
    requireHarmless(member, levels - 1)
  }
}

/**
 * Reads a JSON body; null when there is none.
 *
 * @throws MachineAuthError `body_too_large` above the bytes of its rule, `request_malformed`, `validation_failed`
 */
export async function readJsonBody(request: Request, { most, shape }: BodyRule): Promise<object | null> {
  const text = await readText(request, most)
  if (text !== '' && !isJson(request.headers.get('content-type'))) {
    throw new MachineAuthError('validation_failed', {
      detail: 'Send the body as application/json.',
      errors: [{ path: 'content-type', message: 'must be application/json' }],
    })
  }
  const given = text === '' ? null : parseJson(text)
  if (given === null && shape === 'object') return null
  const body = requireShape(given, shape)
  requireHarmless(body)
  return body
}
