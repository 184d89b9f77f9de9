/**
 * Knows every credential that this process makes or is given, by standing in the few places that all of them pass.
 *
 * To be imported before anything else is: whoever imports those modules afterwards gets them as they are here.
 */
import { mock } from 'bun:test'
import { SignJWT } from 'jose'
import { LoginService } from '../../../src/accounts/login.ts'
import { Passwords } from '../../../src/accounts/passwords.ts'
import { Authenticator } from '../../../src/authentication/authenticator.ts'
import * as masterKeys from '../../../src/authentication/master-key.ts'
import * as apiKeys from '../../../src/credentials/api-key-format.ts'
import * as secretTexts from '../../../src/credentials/secret-text.ts'
import * as crypto from '../../../src/lib/crypto.ts'
import { CredentialSearch } from './search.ts'

/** All that are known so far. */
export const issued = new CredentialSearch()

/** Secret and checksum, behind an id that may be shown. */
const SECRET_TAIL = 49
/** The id of a session, which may be shown, comes first. */
const SESSION_ID = 16

const modules = {
  apiKeys: { ...apiKeys },
  crypto: { ...crypto },
  masterKeys: { ...masterKeys },
  secretTexts: { ...secretTexts },
}

/** An access token is one by its signature. */
function noteSignature(token: string): void {
  issued.note('access token', token.slice(token.lastIndexOf('.') + 1))
}

mock.module('../../../src/credentials/api-key-format.ts', () => ({
  ...modules.apiKeys,
  generateApiKey(...input: Parameters<typeof apiKeys.generateApiKey>) {
    const made = modules.apiKeys.generateApiKey(...input)
    issued.note('API key', made.raw.slice(-SECRET_TAIL))
    return made
  },
}))

mock.module('../../../src/credentials/secret-text.ts', () => ({
  ...modules.secretTexts,
  generateBearerToken() {
    const made = modules.secretTexts.generateBearerToken()
    issued.note('opaque bearer token', made.raw.slice(-SECRET_TAIL))
    return made
  },
  generateSessionText() {
    const made = modules.secretTexts.generateSessionText()
    issued.note('session', made.raw.slice(SESSION_ID))
    return made
  },
  formatRefreshToken(...input: Parameters<typeof secretTexts.formatRefreshToken>) {
    issued.note('refresh token', input[2])
    return modules.secretTexts.formatRefreshToken(...input)
  },
}))

mock.module('../../../src/lib/crypto.ts', () => ({
  ...modules.crypto,
  derive(...input: Parameters<typeof crypto.derive>) {
    issued.note('root secret', input[0], true)
    return modules.crypto.derive(...input)
  },
  seal(...input: Parameters<typeof crypto.seal>) {
    for (const [, secret = ''] of input[1].matchAll(/"(?:d|k)":"([\w-]+)"/g)) issued.note('private key', secret)
    return modules.crypto.seal(...input)
  },
}))

mock.module('../../../src/authentication/master-key.ts', () => ({
  ...modules.masterKeys,
  createMasterKeyCheck(keys: readonly string[]) {
    for (const key of keys) issued.note('master key', key, true)
    return modules.masterKeys.createMasterKeyCheck(keys)
  },
}))

const { sign } = SignJWT.prototype
SignJWT.prototype.sign = async function signAndNote(...input) {
  const token = await sign.apply(this, input)
  noteSignature(token)
  return token
}

/** What is made elsewhere (imported keys, tokens of an app's own) is known from when it was right for the first time. */
const { resolve } = Authenticator.prototype
Authenticator.prototype.resolve = async function resolveAndNote(text) {
  const outcome = await resolve.call(this, text)
  if (outcome.kind === 'apiKey') issued.note('API key', text, true)
  if (outcome.kind === 'bearer') issued.note('opaque bearer token', text, true)
  return outcome
}

/** Long passwords of a few characters, as tests of lengths have them, are in every text that repeats one. */
const FEWEST_CHARACTERS = 5

function notePassword(password: string): void {
  if (new Set(password).size >= FEWEST_CHARACTERS) issued.note('password', password, true)
}

const { hash } = Passwords.prototype
Passwords.prototype.hash = function hashAndNote(password) {
  notePassword(password)
  return hash.call(this, password)
}

const { verify } = LoginService.prototype
LoginService.prototype.verify = async function verifyAndNote(email, password, origin) {
  const identity = await verify.call(this, email, password, origin)
  notePassword(password)
  return identity
}
