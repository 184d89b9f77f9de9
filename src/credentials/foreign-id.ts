/** Ids that an app chooses share one namespace with ours: none may pass for something else. */

const KINDS = ['user', 'client', 'org', 'key', 'sess', 'rt', 'tok', 'blk', 'evt'] as const
/** Who is known by a name alone: code, master key, command line, nobody, a token of the app's own. */
const NAMED = '(?:system|master|cli|anonymous|token)$'

function foreignTo(own: 'user' | 'client'): RegExp {
  const others = KINDS.filter((kind) => kind !== own)
  return new RegExp(`^(?:(?:${others.join('|')})_|${NAMED})`, 'i')
}

const FOREIGN = { user: foreignTo('user'), client: foreignTo('client') } as const

/**
 * Whether an id of a user or client would look like that of another kind.
 *
 * @see RFC 9068 section 5 (a client's id is the `sub` of its tokens)
 * @example isForeignId('key_1', 'user') // true
 */
export function isForeignId(id: string, own: 'user' | 'client'): boolean {
  return FOREIGN[own].test(id)
}
