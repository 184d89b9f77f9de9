/** What all servers of the comparison have in common. */

/** Units in a minute: never reached, since what is measured is a count, not a refusal. */
export const LIMIT = 1_000_000_000
/** ms */
export const WINDOW = 60_000
/** Of the limit that must refuse: the third request is over it. */
export const LOW_LIMIT = 2
/** Tokens that requests have in turn. */
export const TOKENS = 20_000
/** Tokens that ours may remember then: none is still known when its turn comes again. */
export const TOKENS_REMEMBERED = 1000
/** s */
export const TOKEN_LIFETIME = 3600

export const LISTENING = { port: 0, hostname: '127.0.0.1', reusePort: false } as const

const FORGED_FROM_END = 20

/** A credential with another character in its secret or signature. */
export function forge(text: string): string {
  const at = text.length - FORGED_FROM_END
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}

export function bearerOf(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` }
}
