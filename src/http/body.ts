/** Reads the body of our own endpoints: bounded in size, and strict about what it is. */
import { MachineAuthError } from '../errors.ts'
import { UNSAFE_MEMBERS } from '../lib/unsafe-members.ts'

/** Bytes: no body of ours comes near it. */
const MAX_BODY = 64 * 1024

/** Refuses member names that could reach a prototype when somebody merges objects later. */
function refuseUnsafeName(name: string, value: unknown): unknown {
  if (UNSAFE_MEMBERS.has(name)) {
    throw new MachineAuthError('validation_failed', {
      detail: 'A member name of the body is not allowed.',
      errors: [{ path: 'body', message: 'must not have a member of that name' }],
    })
  }
  return value
}

async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY) throw new MachineAuthError('body_too_large')
  const chunks: Uint8Array[] = []
  let size = 0
  // A body of unknown length is counted as it comes.
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY) throw new MachineAuthError('body_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isJson(contentType: string | null): boolean {
  return contentType === null || /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i.test(contentType)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, refuseUnsafeName)
  } catch (cause) {
    if (cause instanceof MachineAuthError) throw cause
    throw new MachineAuthError('request_malformed', { detail: 'The body is not valid JSON.' })
  }
}

/**
 * Reads a JSON body; null when there is none.
 *
 * @throws MachineAuthError `body_too_large` above 64 KiB, `request_malformed`, `validation_failed`
 */
export async function readJsonBody(request: Request): Promise<object | null> {
  const text = await readText(request)
  if (text === '') return null
  if (!isJson(request.headers.get('content-type'))) {
    throw new MachineAuthError('validation_failed', {
      detail: 'Send the body as application/json.',
      errors: [{ path: 'content-type', message: 'must be application/json' }],
    })
  }
  const body = parseJson(text)
  // Elysia would take an array for an object without members.
  if (typeof body === 'object' && !Array.isArray(body)) return body
  throw new MachineAuthError('validation_failed', {
    detail: 'The body must be a JSON object.',
    errors: [{ path: 'body', message: 'must be a JSON object' }],
  })
}
