import type { ApiKeyView } from '../authentication/views.ts'
import type { Output } from './terminal/output.ts'

/** Prints a key that was just made, the one time that it is shown. */
export function showNewKey(output: Output, made: { readonly key: ApiKeyView; readonly rawKey: string }): void {
  if (output.isJson) {
    output.json(made)
    return
  }
  output.show(made.key)
  output.note('\nThe key. It is shown this once and stored nowhere:')
  output.line(made.rawKey)
}
