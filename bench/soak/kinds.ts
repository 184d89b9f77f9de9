/** What clients do, each in a loop of its own, and what they must be answered. */
import { BASE62_ALPHABET } from '../../src/lib/base62.ts'
import { checksum } from '../../src/lib/crc32.ts'
import { keyTextOf, MASTER_KEY } from '../scale/texts.ts'
import type { Fixtures } from './server.ts'

export interface Answer {
  readonly text: string
  readonly headers: Headers
}

/** One request: under which name it is counted, and the answers that are right, such as `401 api_key_invalid`. */
export type Send = (name: string, accepted: readonly string[], path: string, init?: RequestInit) => Promise<Answer>

export interface World {
  readonly send: Send
  readonly fixtures: Fixtures
  /** Keys of the database that are good. */
  readonly goodKeys: number
}

interface Kind {
  /** How many loops do it at once. */
  readonly loops: number
  /** One round. */
  readonly round: (world: World, random: () => number) => Promise<unknown>
}

/** Names by which requests that are let in are counted: of all others a 200 would be a hole. */
export const OK = ['200'] as const
/** Uses of what was given by a login, before it is given back. */
const USES = 20
const JSON_TYPE = { 'content-type': 'application/json' }

function pick<T>(from: readonly T[]): T {
  const chosen = from[Math.floor(Math.random() * from.length)]
  if (chosen === undefined) throw new Error('there is nothing to choose from')
  return chosen
}

/** Of more addresses than any memory holds. */
function newAddress(): Record<string, string> {
  const part = () => Math.floor(Math.random() * 256)
  return { 'x-forwarded-for': `10.${part()}.${part()}.${part()}` }
}

function randomText(length: number): string {
  return Array.from({ length }, () => BASE62_ALPHABET.charAt(Math.floor(Math.random() * 62))).join('')
}

const withKey = (key: string, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  headers: { ...headers, 'x-api-key': key },
})
const withToken = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } })

function post(body: object, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) }
}

function memberOf(text: string, name: string): string {
  const value = (JSON.parse(text) as Readonly<Record<string, unknown>>)[name]
  if (typeof value !== 'string') throw new Error(`the answer has no ${name}`)
  return value
}

/** Well-formed, and of nobody. */
function unknownKey(): string {
  const body = `mac_live_${randomText(16)}_${randomText(43)}`
  return body + checksum(body)
}

/** With the id of a key that is there, and another secret. */
function forgedKey(index: number): string {
  const body = `${keyTextOf(index).slice(0, 'mac_live_'.length + 16)}_${randomText(43)}`
  return body + checksum(body)
}

async function useToken({ send, fixtures: { email, password } }: World): Promise<void> {
  const login = await send('login', OK, '/auth/login', post({ email, password }))
  const token = memberOf(login.text, 'access_token')
  for (let use = 0; use < USES; use += 1) await send('jwt', OK, '/user', withToken(token))
  await send('jwt, forged', ['401 token_invalid'], '/user', {
    headers: { ...newAddress(), authorization: `Bearer ${token.slice(0, -20)}${randomText(20)}` },
  })
  const refreshed = await send(
    'refresh',
    OK,
    '/auth/refresh',
    post({ refresh_token: memberOf(login.text, 'refresh_token') }),
  )
  const next = memberOf(refreshed.text, 'access_token')
  for (let use = 0; use < USES; use += 1) await send('jwt', OK, '/user', withToken(next))
  await send('logout', ['204'], '/auth/logout', post({ refresh_token: memberOf(refreshed.text, 'refresh_token') }))
  for (const ended of [token, next]) await send('jwt, revoked', ['401 token_revoked'], '/user', withToken(ended))
}

async function useSession({ send, fixtures: { email, password } }: World): Promise<void> {
  const login = await send('session, new', ['201'], '/auth/sessions', post({ email, password }))
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  for (let use = 0; use < USES; use += 1) await send('session', OK, '/user', { headers: { cookie } })
  await send('session, ending', ['204'], '/auth/sessions/current', { method: 'DELETE', headers: { cookie } })
  await send('session, ended', ['401 session_invalid'], '/user', { headers: { cookie } })
}

async function useNewKey({ send }: World): Promise<void> {
  const master = { 'x-admin-key': MASTER_KEY }
  const made = await send('key, new', ['201'], '/auth/keys', post({ name: 'soak' }, master))
  const { key, rawKey } = JSON.parse(made.text) as { readonly key: { readonly id: string }; readonly rawKey: string }
  for (let use = 0; use < USES; use += 1) await send('key', OK, '/', withKey(rawKey))
  await send('key, revoking', OK, `/auth/keys/${key.id}/revoke`, post({}, master))
  await send('key, revoked', ['401 api_key_revoked'], '/', withKey(rawKey))
}

/** Everything that is forgotten is of a kind that never comes again: texts, addresses, e-mails, paths. */
export const KINDS: Readonly<Record<string, Kind>> = {
  key: {
    loops: 4,
    round: ({ send, goodKeys }, random) => send('key', OK, '/', withKey(keyTextOf(Math.floor(random() * goodKeys)))),
  },
  unknown: {
    loops: 2,
    round: ({ send }) => send('key, unknown', ['401 api_key_invalid'], '/', withKey(unknownKey(), newAddress())),
  },
  forged: {
    loops: 1,
    round: ({ send, goodKeys }, random) =>
      send(
        'key, forged',
        ['401 api_key_invalid'],
        '/',
        withKey(forgedKey(Math.floor(random() * goodKeys)), newAddress()),
      ),
  },
  malformed: {
    loops: 1,
    round: ({ send }) => send('key, malformed', ['401 api_key_invalid'], '/', withKey(randomText(30), newAddress())),
  },
  none: { loops: 1, round: ({ send }) => send('no credential', ['401 credential_missing'], '/') },
  expired: {
    loops: 1,
    round: ({ send, fixtures }) => send('key, expired', ['401 api_key_expired'], '/', withKey(pick(fixtures.expired))),
  },
  revoked: {
    loops: 1,
    round: ({ send, fixtures }) => send('key, revoked', ['401 api_key_revoked'], '/', withKey(pick(fixtures.revoked))),
  },
  limited: {
    loops: 1,
    round: ({ send, fixtures }) =>
      send('key, limited', ['200', '429 rate_limited'], '/', withKey(pick(fixtures.limited))),
  },
  blocked: {
    loops: 1,
    // The first hundred wrong ones are refused as wrong, all later ones as of a blocked address.
    round: ({ send }) =>
      send(
        'address, blocked',
        ['401 api_key_invalid', '403 address_blocked'],
        '/',
        withKey(unknownKey(), { 'x-forwarded-for': '192.0.2.1' }),
      ),
  },
  lost: {
    loops: 1,
    round: ({ send }) => send('no such path', ['404 not_found'], `/${randomText(12)}`, { headers: newAddress() }),
  },
  token: { loops: 1, round: useToken },
  session: { loops: 1, round: useSession },
  lifetime: { loops: 1, round: useNewKey },
  guess: {
    loops: 1,
    round: ({ send }) =>
      send(
        'login, wrong',
        ['401 login_failed'],
        '/auth/login',
        post({ email: `${randomText(12)}@example.com`, password: randomText(12) }, newAddress()),
      ),
  },
}
