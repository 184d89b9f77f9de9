/** Names whose values are secret: of headers, cookies, members, parameters. */

/**
 * Tells a secret's name, in whatever case and with whatever between its words.
 *
 * @param value as it stands, without quotes around it: a number may be a count (`max_tokens: 5`), any text is a secret
 */
export type IsSecretName = (name: string, value?: string) => boolean

/** Characters of a name that are brought into one form: more take too long, and are no name. */
const LONGEST_SPELLED = 256

/** Without accents and widths: `pässword` is read as `password`. */
function spell(name: string): string {
  return /[\u0080-\uffff]/.test(name) && name.length <= LONGEST_SPELLED ? name.normalize('NFKD') : name
}

/** Only what is compared: `api_key`, `api-key` and `apiKey` are one name. */
function normalize(name: string): string {
  return spell(name)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '')
}

/** `userPin` and `user_pins2`: user, pin. */
function wordsOf(name: string): readonly string[] {
  return spell(name)
    .replaceAll(/([a-z0-9])(?=[A-Z])/g, '$1 ')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/\d{1,3}$/, '').replace(/(?<!s)s$/, ''))
}

/** What lets somebody in, also as a part of a name (`newPassword`, `x-auth-token`): no mode writes it. */
const SECRETS = [
  ...['authorization', 'cookie', 'password', 'passwd', 'passphrase', 'passcode', 'pwd', 'bearer', 'creds'],
  ...['token', 'secret', 'credential', 'session', 'signature', 'assertion', 'samlresponse', 'codeverifier'],
  ...['xauth', 'basicauth', 'httpauth', 'proxyauth'],
  // Apart from `token` and `secret`, whose plurals may be counts.
  ...['accesstoken', 'refreshtoken', 'idtoken', 'clientsecret'],
  ...['apikey', 'rawkey', 'adminkey', 'masterkey', 'privatekey', 'accesskey', 'signingkey', 'encryptionkey', 'authkey'],
  ...['sshkey', 'sharedkey', 'accountkey', 'storagekey', 'webhookkey', 'servicekey', 'deploykey', 'licensekey'],
  ...[
    'subscriptionkey',
    'hmackey',
    'recoverykey',
    'rootkey',
    'connectionstring',
    'magiclink',
    'seedphrase',
    'mnemonic',
  ],
  ...['onetimecode', 'recoverycode', 'backupcode', 'verificationcode', 'securitycode', 'pincode', 'otpcode', 'mfacode'],
  ...['accesscode', 'authcode', 'logincode', 'smscode', 'confirmationcode', 'devicecode', 'usercode', 'invitecode'],
]

/** As a word of a name: `user_pass`, `dbPass`, `userPin`. */
const WORDS = new Set(['pass', 'pin', 'otp', 'totp', 'jwt', 'cvv', 'cvc', 'pwd'])

/** As a whole name only, or the last part of one (`user[key]`): within others they are harmless (`keyId`, `shipping`). */
const WHOLE = ['key', 'auth', 'jwt', 'sid', 'sig', 'otp', 'totp', 'pin', 'pass', 'cvv', 'cvc']

/** As the name of a parameter only: in JSON it tells what went wrong. */
const PARAMETERS = new Set(['code', 'ticket', 'hmac'])

/** Of people and their money: `raw` keeps it. */
const PERSONAL = [
  ...['cardnumber', 'creditcard', 'debitcard', 'ccnumber', 'iban', 'bankaccount', 'accountnumber', 'routingnumber'],
  ...['socialsecurity', 'nationalid', 'taxid', 'taxnumber', 'passport', 'driverslicense', 'dateofbirth', 'birthdate'],
]
const PERSONAL_WHOLE = ['ssn', 'dob', 'birthday']

/** Of our own endpoints: what a key may be found by. */
const OF_OWN_ENDPOINTS = ['hash']

/** Words of which there may be so many: what is secret below a name that counts them is a text, not a number. */
const COUNTABLE = new Set(['token', 'session', 'secret', 'credential', 'signature', 'assertion'])

/** Names of how many, or how long: `sessions`, `max_tokens`, `session_timeout`, `token_expires_in`. */
const OF_COUNT =
  /(?:tokens|sessions|secrets|credentials|signatures|assertions|count|limit|total|used|left|remaining|ttl|timeout|lifetime|expiresin|expiresat|expiry|maxage)$/

const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/

export interface SecretNames {
  /** For `raw`: what lets somebody in, and what an app names. */
  readonly credentials: IsSecretName
  /** For `redacted`: that, and numbers and dates of people. */
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

/** `user[key]`, `config.key`: what it is the name of. */
function lastPart(name: string): string {
  return name.split(/[.[\]]+/).findLast((part) => part !== '') ?? ''
}

function hasSecretWord(name: string): boolean {
  return wordsOf(name).some((word) => WORDS.has(word))
}

function createCheck({ parts, wholes }: Names): IsSecretName {
  const exact = new Set([...parts, ...wholes])
  const countable = parts.filter((part) => COUNTABLE.has(part))
  const others = parts.filter((part) => !COUNTABLE.has(part))
  const known = new Map<string, Extent>()
  function check(name: string): Extent {
    const normal = normalize(name)
    if (normal === '') return 'nothing'
    if (exact.has(normal) || exact.has(normalize(lastPart(name)))) return 'everything'
    if (others.some((part) => normal.includes(part))) return 'everything'
    if (!countable.some((part) => normal.includes(part)) && !hasSecretWord(name)) return 'nothing'
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
  const credentials = [...SECRETS, ...named]
  const secrets = [...credentials, ...PERSONAL]
  const wholes = [...WHOLE, ...PERSONAL_WHOLE]
  return {
    credentials: createCheck({ parts: credentials, wholes: WHOLE }),
    secrets: createCheck({ parts: secrets, wholes }),
    own: createCheck({ parts: secrets, wholes: [...wholes, ...OF_OWN_ENDPOINTS] }),
  }
}

/** Whether a parameter of a query, a form or a path lets somebody in, although a member of that name does not. */
export function isSecretParameter(name: string): boolean {
  return PARAMETERS.has(normalize(name))
}
