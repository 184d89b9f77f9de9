/** What Redis runs in one piece. */
import type { Link } from './link.ts'

function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

export class Script {
  readonly #text: string
  /** SHA-1, by which Redis knows a script. */
  readonly #name: string

  constructor(...parts: readonly string[]) {
    this.#text = parts.join('\n')
    this.#name = Bun.SHA1.hash(this.#text, 'hex')
  }

  /**
   * Runs it: by name, and as text when the server does not know it, as after a restart.
   *
   * @throws what the link or the script is rejected with
   */
  async run(link: Link, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await link.send('EVALSHA', [this.#name, ...rest])
    } catch (error) {
      if (!isUnknown(error)) throw error
      return link.send('EVAL', [this.#text, ...rest])
    }
  }
}
