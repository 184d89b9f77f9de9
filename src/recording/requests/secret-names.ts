/** Names whose values are secret: of headers, cookies, members, parameters. */

/** Tells a secret's name, in whatever case and with whatever between its words. */
export type IsSecretName = (name: string) => boolean

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

function createCheck(parts: readonly string[], whole: readonly string[]): IsSecretName {
  const wholes = new Set(whole)
  const known = new Map<string, boolean>()
  function check(name: string): boolean {
    const normal = normalize(name)
    return normal !== '' && (wholes.has(normal) || parts.some((part) => normal.includes(part)))
  }
  return (name) => {
    if (name.length > LONGEST_REMEMBERED) return check(name)
    const remembered = known.get(name)
    if (remembered !== undefined) return remembered
    const isSecret = check(name)
    if (known.size >= MOST_REMEMBERED) known.clear()
    known.set(name, isSecret)
    return isSecret
  }
}

/**
 * @param carriers names of headers and cookies that carry credentials here
 * @param more names that an app counts among the secrets
 */
export function createSecretNames(carriers: readonly string[], more: readonly string[]): SecretNames {
  const isSomething = (name: string) => name !== ''
  const carried = carriers.map(normalize).filter(isSomething)
  const secrets = [...SECRETS, ...carried, ...more.map(normalize).filter(isSomething)]
  return {
    credentials: createCheck([...CREDENTIALS, ...carried], []),
    secrets: createCheck(secrets, WHOLE),
    own: createCheck(secrets, [...WHOLE, ...OF_OWN_ENDPOINTS]),
  }
}
