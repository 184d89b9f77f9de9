/** Who is compared, and how each is started. */

export interface Contestant {
  readonly name: string
  /** Its server in `bench/`, and what that is called with. */
  readonly command: readonly [string, ...string[]]
  /** The packages that are measured, whose versions are reported. */
  readonly packages: readonly string[]
  readonly note?: string
}

const OURS = 'peers/ours.ts'
const BETTER_AUTH = ['better-auth', '@better-auth/api-key']
const ELYSIA_JWT = ['@elysiajs/jwt', '@elysiajs/bearer']
const IN_TURN = 'each request has another of 20,000 tokens (HS256)'

export const BARE = 'bare Elysia'
export const KEY_AND_LIMIT = 'ours: key, limit, headers'
export const JWT = 'ours: JWT, repeated'
export const JWT_FIRST_SEEN = 'ours: JWT, first seen'
export const BETTER_AUTH_LIMITED = 'better-auth, limits on'
export const ELYSIA_JWT_REPEATED = '@elysiajs/jwt, repeated'
export const ELYSIA_JWT_FIRST_SEEN = '@elysiajs/jwt, first seen'

export const CONTESTANTS: readonly Contestant[] = [
  { name: BARE, command: [OURS, 'bare'], packages: [] },
  { name: 'ours: key', command: [OURS, 'key'], packages: [] },
  { name: KEY_AND_LIMIT, command: [OURS, 'key-limit'], packages: [] },
  { name: 'ours: limit by address', command: [OURS, 'limit'], packages: [], note: 'no credential' },
  { name: JWT, command: [OURS, 'jwt'], packages: [], note: 'HS256' },
  {
    name: JWT_FIRST_SEEN,
    command: [OURS, 'jwt-first-seen'],
    packages: [],
    note: `${IN_TURN} and of another family, none remembered until its next turn`,
  },
  {
    name: 'better-auth, limits off',
    command: ['peers/servers/better-auth.ts', 'unlimited'],
    packages: BETTER_AUTH,
    note: 'verifyApiKey on bun:sqlite in memory',
  },
  {
    name: BETTER_AUTH_LIMITED,
    command: ['peers/servers/better-auth.ts', 'limited'],
    packages: BETTER_AUTH,
    note: 'verifyApiKey on bun:sqlite in memory',
  },
  {
    name: 'better-auth, limits on, keys in a Map',
    command: ['peers/servers/better-auth.ts', 'limited-in-memory'],
    packages: BETTER_AUTH,
    note: 'verifyApiKey on secondary storage that never leaves the process',
  },
  {
    name: ELYSIA_JWT_REPEATED,
    command: ['peers/servers/elysia-jwt.ts', 'repeated'],
    packages: ELYSIA_JWT,
    note: 'HS256',
  },
  {
    name: ELYSIA_JWT_FIRST_SEEN,
    command: ['peers/servers/elysia-jwt.ts', 'first-seen'],
    packages: ELYSIA_JWT,
    note: IN_TURN,
  },
  {
    name: 'elysia-rate-limit',
    command: ['peers/servers/elysia-rate-limit.ts'],
    packages: ['elysia-rate-limit'],
    note: 'by address, no credential',
  },
  { name: 'hono, bare', command: ['peers/servers/hono.ts', 'bare'], packages: ['hono'] },
  {
    name: 'hono, bearer-auth',
    command: ['peers/servers/hono.ts', 'bearer'],
    packages: ['hono'],
    note: 'one fixed token',
  },
  { name: 'hono, jwt', command: ['peers/servers/hono.ts', 'jwt'], packages: ['hono'], note: 'HS256' },
]
