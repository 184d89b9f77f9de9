/** A key by its id, by the part of it that is shown, or by a beginning of either. */
import type { ApiKeyView } from '../../authentication/views.ts'
import type { AnyMachineAuth } from '../../core.ts'
import { CommandError, UsageError } from '../errors.ts'
import { orNull } from './or-null.ts'

const ID = /^[0-9A-Za-z]{16}$/
/** `<prefix>_<environment>_<id>`, and perhaps what must not be an argument. */
const SHOWN = /^[a-z][a-z0-9]*_(?:live|test)_([0-9A-Za-z]{16})(_.*)?$/s

/** The whole id that a text names, if it does. */
function idIn(text: string): string | null {
  const [, shown, secret] = SHOWN.exec(text) ?? []
  if (secret !== undefined) {
    throw new UsageError(
      `This is a whole key: others could see it. Name it by the part before its secret: key_${shown ?? ''}`,
    )
  }
  const id = shown ?? text.replace(/^key_/, '')
  return ID.test(id) ? `key_${id}` : null
}

/** A beginning of `key_`, or of what is shown before the id of a key. */
const BEFORE_ID = /^(?:k|ke|key_?|([a-z][a-z0-9]*_)(?:l|li|liv|live_?|(t|te|tes|test_?))?)$/

/** What must be followed by a part of the id, for a text that has none of it. */
function headIn(text: string): string | null {
  const match = BEFORE_ID.exec(text)
  if (match === null) return null
  const [, prefix, test] = match
  return prefix === undefined || prefix === 'key_' ? 'key_' : `${prefix}${test === undefined ? 'live' : 'test'}_`
}

function startsWith({ id, prefix }: ApiKeyView, text: string): boolean {
  return [id, id.slice('key_'.length), prefix].some((name) => name.startsWith(text))
}

function describe({ id, name, status }: ApiKeyView): string {
  return `  ${id}  ${status}  ${name}`
}

function noneFor(text: string): Error {
  const head = headIn(text)
  return head === null
    ? new CommandError(`There is no key that begins with ${JSON.stringify(text)}.`)
    : new UsageError(`${JSON.stringify(text)} is too short: give at least one character after ${head}`)
}

/**
 * Finds the one key that a text names.
 *
 * @throws CommandError when there is none
 * @throws UsageError when several begin so, naming all of them; for a text without any of the id; and for a whole key,
 * which nobody else should see
 */
export async function findKey(core: AnyMachineAuth, text: string): Promise<ApiKeyView> {
  const id = idIn(text)
  const exact = id === null ? null : await orNull(core.keys.find(id))
  if (exact !== null) return exact
  const candidates = await core.keys.findByPrefix(text)
  const found = candidates.filter((key) => startsWith(key, text))
  const [key, second] = found
  if (key === undefined) throw noneFor(text)
  if (second === undefined) return key
  throw new UsageError([`Several keys begin with ${JSON.stringify(text)}:`, ...found.map(describe)].join('\n'))
}
