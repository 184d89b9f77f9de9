/** Names whose values are secret: of headers, cookies, members, parameters. */

/**
 * Tells a secret's name, in whatever case and with whatever between its words.
 *
 * @param value as it stands, without quotes around it: a number may be a count (`max_tokens: 5`), any text is a secret
 */
export type IsSecretName = (name: string, value?: string) => boolean

/** Only what is compared: `api_key`, `api-key` and `apiKey` are one name. */
function normalize(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')
}

/** What lets somebody in, also as a part of a name (`newPassword`, `x-auth-token`): not even `raw` writes it. */
const CREDENTIALS = [
  'authorization',
  'cookie',
  'password',
  'passwd',
  'passphrase',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'rawkey',
  'apikey',
  'adminkey',
  'masterkey',
  'clientsecret',
]

/** What else is nobody's business. */
const SECRETS = [
  ...CREDENTIALS,
  'pwd',
  'token',
  'secret',
  'credential',
  'privatekey',
  'accesskey',
  'signingkey',
  'encryptionkey',
  'session',
  'signature',
  'assertion',
  'xauth',
  'onetimecode',
]

/** As a whole name only: within others they are harmless (`keyId`, `author`, `shipping`). */
const WHOLE = ['key', 'auth', 'jwt', 'sid', 'sig', 'otp', 'totp', 'pin', 'pass', 'cvv', 'cvc']

/** Of our own endpoints: what a key may be found by. */
const OF_OWN_ENDPOINTS = ['hash']

/** Words of which there may be so many: what is secret below a name that counts them is a text, not a number. */
const COUNTABLE = new Set(['token', 'session', 'secret', 'credential', 'signature', 'assertion'])

/** Names of how many, or how long: `sessions`, `max_tokens`, `session_timeout`, `token_expires_in`. */
const OF_COUNT =
  /(?:tokens|sessions|secrets|credentials|signatures|assertions|count|limit|total|used|left|remaining|ttl|timeout|lifetime|expiresin|expiresat|expiry|maxage)$/

const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/

export interface SecretNames {
  /** For `raw`. */
  readonly credentials: IsSecretName
  /** For `redacted`. */
  readonly secrets: IsSecretName
  /** For the endpoints that take or hand out credentials, in either mode. */
  readonly own: IsSecretName
}

/** Names that are remembered: a body has the same few again and again. */
const MOST_REMEMBERED = 1000
const LONGEST_REMEMBERED = 64

/** What of a value is secret. */
type Extent = 'nothing' | 'texts' | 'everything'

interface Names {
  /** Secret also as a part of a name. */
  readonly parts: readonly string[]
  readonly wholes: readonly string[]
}

function createCheck({ parts, wholes }: Names): IsSecretName {
  const exact = new Set([...parts, ...wholes])
  const countable = parts.filter((part) => COUNTABLE.has(part))
  const others = parts.filter((part) => !COUNTABLE.has(part))
  const known = new Map<string, Extent>()
  function check(name: string): Extent {
    const normal = normalize(name)
    if (normal === '') return 'nothing'
    if (exact.has(normal) || others.some((part) => normal.includes(part))) return 'everything'
    if (!countable.some((part) => normal.includes(part))) return 'nothing'
    return OF_COUNT.test(normal) ? 'texts' : 'everything'
  }
  function remember(name: string): Extent {
    if (name.length > LONGEST_REMEMBERED) return check(name)
    const remembered = known.get(name)
    if (remembered !== undefined) return remembered
    const extent = check(name)
    if (known.size >= MOST_REMEMBERED) known.clear()
    known.set(name, extent)
    return extent
  }
  return (name, value) => {
    const extent = remember(name)
    return extent === 'everything' || (extent === 'texts' && !(value !== undefined && NUMBER.test(value)))
  }
}

/**
 * @param carriers names of headers and cookies that carry credentials here
 * @param more names that an app counts among the secrets, in every mode
 */
export function createSecretNames(carriers: readonly string[], more: readonly string[]): SecretNames {
  const named = [...carriers, ...more].map(normalize).filter((name) => name !== '')
  const secrets = [...SECRETS, ...named]
  return {
    credentials: createCheck({ parts: [...CREDENTIALS, ...named], wholes: [] }),
    secrets: createCheck({ parts: secrets, wholes: WHOLE }),
    own: createCheck({ parts: secrets, wholes: [...WHOLE, ...OF_OWN_ENDPOINTS] }),
  }
}
