/** API keys of both kinds: our own texts, and behind a limit those that were made elsewhere. */
import type { ApiKeyWithOwner } from '../../storage/records.ts'
import type { Authenticator } from '../authenticator.ts'
import { type ApiKeyPrincipal, type Outcome, refusal } from '../principal.ts'
import type { ForeignTexts } from './foreign-texts.ts'

/** Bounds who tries how many texts that nobody knows yet. */
export interface Attempts {
  /** Answers the ms to wait, 0 when the attempt may begin; whoever gets 0 must leave. */
  enter(subject: string): Promise<{ readonly wait: number; leave(isWrong: boolean): void }>
}

type KeyVerifier = Authenticator<ApiKeyWithOwner, ApiKeyPrincipal>

export interface KeyAuthenticatorOptions {
  readonly own: KeyVerifier
  readonly foreign: KeyVerifier
  readonly texts: ForeignTexts
  readonly attempts: Attempts
}

export class KeyAuthenticator {
  readonly #options: KeyAuthenticatorOptions

  constructor(options: KeyAuthenticatorOptions) {
    this.#options = options
  }

  /** Whether a text may be a key made elsewhere. */
  claims(text: string): boolean {
    return this.#options.texts.claims(text)
  }

  /** The outcome if it is known without waiting, else undefined. No storage access. */
  peek(text: string): Outcome<ApiKeyPrincipal> | undefined {
    const { own, foreign, texts } = this.#options
    const known = own.peek(text)
    return known?.kind === 'refused' && texts.claims(text) ? foreign.peek(text) : known
  }

  /**
   * The outcome, whatever it takes. Never rejects.
   *
   * @param presenter whom an unknown foreign text counts against, as limits name him
   */
  resolve(text: string, presenter: string): Promise<Outcome<ApiKeyPrincipal>> {
    const { own, foreign, texts } = this.#options
    if (!texts.claims(text)) return own.resolve(text)
    // What was right before waits for nobody: a neighbour who guesses does not lock it out.
    return foreign.hasProven(text) ? foreign.resolve(text) : this.#attempt(text, presenter)
  }

  async #attempt(text: string, presenter: string): Promise<Outcome<ApiKeyPrincipal>> {
    const { foreign, attempts } = this.#options
    const turn = await attempts.enter(presenter)
    if (turn.wait > 0) return refusal('locked_out', { retryAfter: turn.wait / 1000 })
    let isWrong = false
    try {
      const outcome = await foreign.resolve(text)
      isWrong = outcome.kind === 'refused' && outcome.code === 'api_key_invalid'
      return outcome
    } finally {
      turn.leave(isWrong)
    }
  }
}
