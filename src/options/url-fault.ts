/** What is wrong with the URL of a service, in words that show nothing of it: any part may be a password. */

const USERINFO = 'has a user or password with characters that must be percent-encoded: '
const ESCAPES = '/ as %2F, ? as %3F, # as %23, @ as %40, % as %25'
const PORT = 'has a port that is none of 1 to 65535'

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Behind the user and password, as far as a path, a query or a fragment. */
function authorityOf(text: string): string {
  return /^[^:]*:\/\/([^/?#]*)/.exec(text)?.[1] ?? ''
}

/** A path of one name, and parameters: what they say may have an @. */
const PARAMETERS = /^(\/[^/?#@]*)?\?[\w.-]+=.*$/s

/** An @ behind the first of / ? # was meant to end a password that has one of these. */
function endsTooEarly(text: string): boolean {
  const rest = text.slice(text.indexOf('://') + 3)
  const end = rest.search(/[/?#]/)
  if (end === -1 || rest.slice(0, end).includes('@')) return false
  return rest.slice(end).replace(PARAMETERS, '').includes('@')
}

function portOf(text: string): string | null {
  const host = authorityOf(text).replace(/^.*@/s, '')
  return /:([^:\]]*)$/.exec(host)?.[1] ?? null
}

/** @returns null for a URL that can be used; else a phrase such as `names no host` */
export function findUrlFault(text: string): string | null {
  if (endsTooEarly(text)) return USERINFO + ESCAPES
  const port = portOf(text)
  if (port !== null && port !== '' && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    return PORT
  }
  if (!URL.canParse(text)) return authorityOf(text).replace(/^.*@/s, '') === '' ? 'names no host' : 'is not a valid URL'
  const { hostname, username, password } = new URL(text)
  if (hostname === '') return 'names no host'
  return isDecodable(username) && isDecodable(password) ? null : USERINFO + ESCAPES
}
