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

function startsWith({ id, prefix }: ApiKeyView, text: string): boolean {
  return [id, id.slice('key_'.length), prefix].some((name) => name.startsWith(text))
}

function describe({ id, name, status }: ApiKeyView): string {
  return `  ${id}  ${status}  ${name}`
}

/**
 * Finds the one key that a text names.
 *
 * @throws CommandError when there is none
 * @throws UsageError when several begin so, naming all of them; and for a whole key, which nobody else should see
 */
export async function findKey(core: AnyMachineAuth, text: string): Promise<ApiKeyView> {
  const id = idIn(text)
  const exact = id === null ? null : await orNull(core.keys.find(id))
  if (exact !== null) return exact
  const candidates = await core.keys.findByPrefix(text)
  const found = candidates.filter((key) => startsWith(key, text))
  const [key, second] = found
  if (key === undefined) throw new CommandError(`There is no key that begins with ${JSON.stringify(text)}.`)
  if (second === undefined) return key
  throw new UsageError([`Several keys begin with ${JSON.stringify(text)}:`, ...found.map(describe)].join('\n'))
}
