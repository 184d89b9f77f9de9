/** Every endpoint under the prefix, for tests that go through all of them: who may, what it takes, whose ids it names. */
import type { Json } from './test-app.ts'

/** What a request can name of somebody. */
export interface Ids {
  readonly organizationId: string
  readonly userId: string
  readonly keyId: string
  /** The text of another key than `keyId`. */
  readonly rawKey: string
  readonly sessionId: string
  readonly blockId: string
  readonly role: string
}

/** What else a request has that is sent to the caller's own path. */
export interface Naming {
  readonly query?: string
  readonly body?: Json | readonly Json[]
}

export interface Endpoint {
  /** Below the prefix. */
  readonly route: `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`
  /**
   * `tenant`: things of one organization; `platform`: of none; `own`: of whoever asks, whatever he may do; `master`: by
   * the master key alone; `public`: by anybody.
   */
  readonly reach: 'tenant' | 'platform' | 'own' | 'master' | 'public'
  readonly permission?: string
  /** A body that works, new on every call. */
  readonly body?: () => Json
  /** The same of an endpoint whose body is a list, of which each entry is judged by itself. */
  readonly list?: (ids: Ids) => readonly Json[]
  /** Members of `SENSITIVE` that its body may have. */
  readonly takes?: readonly string[]
  /** Bodies with the members that are objects, by path. */
  readonly nested?: Readonly<Record<string, Json>>
  /** Ids in query or body; one in the path goes without saying. */
  readonly names?: readonly ((ids: Ids) => Naming)[]
  /** Of those, ones that are answered like ids that do not exist, but not with 404. */
  readonly asks?: readonly ((ids: Ids) => Naming)[]
}

/** Members by which a request could try to decide what is not its to decide. */
export const SENSITIVE = [
  'id',
  'hash',
  'hashKind',
  'passwordHash',
  'pepper',
  'prefix',
  'lookup',
  'status',
  'enabled',
  'source',
  'keyCount',
  'revokedAt',
  'rotatedFrom',
  'createdAt',
  'createdBy',
  'tokensNotBefore',
  'organizationId',
  'organization_id',
  'org_id',
  'userId',
  'actor',
  'isAdmin',
  'role',
  'roles',
  'permissions',
] as const

let made = 0
const unique = (stem: string) => {
  made += 1
  return `${stem}-${made}`
}

const RATE = { rateLimit: { limit: 5, window: '1m' } }
const CREDITS = { credits: { remaining: 5, refill: { amount: 1, every: '1d' } } }
const KEY_OBJECTS = { rateLimit: RATE, credits: CREDITS, 'credits.refill': CREDITS }

/** Once counted, it is a duplicate: of a name of its own each time. */
const useOf = (keyId: string): Json => ({
  ...{ id: unique('use'), keyId, endpoint: '/reports/:id', method: 'GET', status: 200, latencyMs: 1.5 },
  at: '2030-01-01T00:00:00Z',
})

const TENANT: readonly Endpoint[] = [
  {
    route: 'POST /keys',
    reach: 'tenant',
    permission: 'machine_auth.keys.create',
    body: () => ({ name: 'made' }),
    takes: ['organizationId', 'userId', 'permissions'],
    nested: KEY_OBJECTS,
    names: [
      ({ organizationId }) => ({ body: { name: 'made', organizationId } }),
      ({ userId }) => ({ body: { name: 'made', userId } }),
    ],
  },
  {
    route: 'GET /keys',
    reach: 'tenant',
    permission: 'machine_auth.keys.view',
    names: [({ organizationId }) => ({ query: `organizationId=${organizationId}` })],
  },
  { route: 'GET /keys/:id', reach: 'tenant', permission: 'machine_auth.keys.view' },
  {
    route: 'PATCH /keys/:id',
    reach: 'tenant',
    permission: 'machine_auth.keys.update',
    body: () => ({ name: unique('renamed') }),
    takes: ['enabled', 'permissions'],
    nested: KEY_OBJECTS,
  },
  {
    route: 'POST /keys/:id/rotate',
    reach: 'tenant',
    permission: 'machine_auth.keys.update',
    body: () => ({ gracePeriod: '1h' }),
  },
  {
    route: 'POST /keys/:id/revoke',
    reach: 'tenant',
    permission: 'machine_auth.keys.delete',
    body: () => ({ reason: 'leaked' }),
  },
  { route: 'DELETE /keys/:id', reach: 'tenant', permission: 'machine_auth.keys.delete' },
  {
    route: 'POST /keys/lockdown',
    reach: 'tenant',
    permission: 'machine_auth.keys.delete',
    body: () => ({ createdBefore: '2031-01-01T00:00:00Z' }),
    takes: ['organizationId', 'userId'],
    names: [
      ({ organizationId }) => ({ body: { organizationId, dryRun: true } }),
      ({ userId }) => ({ body: { userId, dryRun: true } }),
      ({ organizationId, userId }) => ({ body: { organizationId, userId } }),
      ({ userId }) => ({ body: { userId } }),
    ],
  },
  {
    route: 'POST /keys/verify',
    reach: 'tenant',
    permission: 'machine_auth.keys.verify',
    body: () => ({ key: 'x' }),
    takes: ['permissions'],
    asks: [({ rawKey }) => ({ body: { key: rawKey } })],
  },
  { route: 'GET /keys/:id/usage', reach: 'tenant', permission: 'machine_auth.usage.view' },
  {
    route: 'POST /keys/batch/usage',
    reach: 'tenant',
    permission: 'machine_auth.usage.create',
    list: ({ keyId }) => [useOf(keyId)],
    takes: ['id', 'status'],
    asks: [({ keyId }) => ({ body: [useOf(keyId)] })],
  },
  { route: 'GET /organizations', reach: 'tenant', permission: 'machine_auth.organizations.view' },
  { route: 'GET /organizations/:id', reach: 'tenant', permission: 'machine_auth.organizations.view' },
  {
    route: 'PATCH /organizations/:id',
    reach: 'tenant',
    permission: 'machine_auth.organizations.update',
    body: () => ({ name: unique('renamed') }),
    takes: ['status'],
    nested: { rateLimit: RATE },
  },
  {
    route: 'POST /users',
    reach: 'tenant',
    permission: 'machine_auth.users.create',
    body: () => ({ email: `${unique('made')}@example.com` }),
    takes: ['organizationId', 'roles'],
    names: [({ organizationId }) => ({ body: { email: `${unique('made')}@example.com`, organizationId } })],
  },
  {
    route: 'GET /users',
    reach: 'tenant',
    permission: 'machine_auth.users.view',
    names: [({ organizationId }) => ({ query: `organizationId=${organizationId}` })],
  },
  { route: 'GET /users/:id', reach: 'tenant', permission: 'machine_auth.users.view' },
  {
    route: 'PATCH /users/:id',
    reach: 'tenant',
    permission: 'machine_auth.users.update',
    body: () => ({ email: `${unique('renamed')}@example.com` }),
    takes: ['organizationId', 'roles', 'status'],
    names: [({ organizationId }) => ({ body: { organizationId } })],
  },
  { route: 'GET /users/:id/sessions', reach: 'tenant', permission: 'machine_auth.users.view' },
  { route: 'DELETE /users/:id/sessions', reach: 'tenant', permission: 'machine_auth.users.update' },
  // What code declares belongs to everybody who may see it.
  { route: 'GET /permissions', reach: 'tenant', permission: 'machine_auth.permissions.view' },
  {
    route: 'GET /audit',
    reach: 'tenant',
    permission: 'machine_auth.audit.view',
    names: [({ organizationId }) => ({ query: `organizationId=${organizationId}` })],
    asks: [
      ({ keyId }) => ({ query: `subject=${keyId}` }),
      ({ userId }) => ({ query: `subject=${userId}` }),
      ({ userId }) => ({ query: `actor=${userId}` }),
    ],
  },
  {
    route: 'GET /logs',
    reach: 'tenant',
    permission: 'machine_auth.logs.view',
    names: [({ organizationId }) => ({ query: `organizationId=${organizationId}` })],
  },
]

const PLATFORM: readonly Endpoint[] = [
  {
    route: 'POST /organizations',
    reach: 'platform',
    permission: 'machine_auth.organizations.create',
    body: () => ({ name: unique('made') }),
    nested: { rateLimit: RATE },
  },
  {
    route: 'POST /keys/import',
    reach: 'platform',
    permission: 'machine_auth.keys.create',
    body: () => ({
      name: 'imported',
      hash: new Bun.CryptoHasher('sha256').update(unique('key')).digest('hex'),
      hashKind: 'sha256',
    }),
    takes: ['organizationId', 'userId', 'permissions', 'hash', 'hashKind', 'prefix', 'createdAt'],
    nested: KEY_OBJECTS,
  },
  { route: 'GET /roles', reach: 'platform', permission: 'machine_auth.roles.view' },
  { route: 'GET /roles/:name', reach: 'platform', permission: 'machine_auth.roles.view' },
  {
    route: 'PUT /roles/:name',
    reach: 'platform',
    permission: 'machine_auth.roles.update',
    body: () => ({ permissions: ['users.view'] }),
    takes: ['permissions'],
  },
  { route: 'DELETE /roles/:name', reach: 'platform', permission: 'machine_auth.roles.delete' },
  {
    route: 'POST /permissions/sync',
    reach: 'platform',
    permission: 'machine_auth.permissions.update',
    body: () => ({ dryRun: false }),
  },
  {
    route: 'POST /blocks',
    reach: 'platform',
    permission: 'machine_auth.blocks.create',
    body: () => ({ subject: `custom:${unique('made')}`, duration: '1h' }),
  },
  { route: 'GET /blocks', reach: 'platform', permission: 'machine_auth.blocks.view' },
  { route: 'GET /blocks/:id', reach: 'platform', permission: 'machine_auth.blocks.view' },
  { route: 'DELETE /blocks/:id', reach: 'platform', permission: 'machine_auth.blocks.delete' },
  { route: 'GET /audit/verify', reach: 'platform', permission: 'machine_auth.audit.view' },
  { route: 'GET /stats', reach: 'platform', permission: 'machine_auth.stats.view' },
  { route: 'GET /metrics', reach: 'platform', permission: 'machine_auth.metrics.view' },
]

const OTHERS: readonly Endpoint[] = [
  { route: 'GET /me', reach: 'own' },
  { route: 'GET /sessions', reach: 'own' },
  { route: 'DELETE /sessions/current', reach: 'own' },
  { route: 'DELETE /sessions/:id', reach: 'own' },
  { route: 'POST /token/new', reach: 'master', body: () => ({}), takes: ['permissions'] },
  { route: 'POST /login', reach: 'public', body: () => ({ email: 'nobody@example.com', password: 'x' }) },
  { route: 'POST /sessions', reach: 'public', body: () => ({ email: 'nobody@example.com', password: 'x' }) },
  { route: 'POST /refresh', reach: 'public', body: () => ({ refresh_token: 'x' }) },
  { route: 'POST /logout', reach: 'public', body: () => ({ refresh_token: 'x' }) },
  { route: 'GET /health/live', reach: 'public' },
  { route: 'GET /health/ready', reach: 'public' },
  { route: 'POST /token/refresh', reach: 'public', body: () => ({ refresh_token: 'x' }) },
]

export const ENDPOINTS: readonly Endpoint[] = [...TENANT, ...PLATFORM, ...OTHERS]

/** Those that a permission opens. */
export const MANAGEMENT = [...TENANT, ...PLATFORM]

/** What `:id` and `:name` stand for, by the resource. */
const PARAMETERS: Readonly<Record<string, keyof Ids>> = {
  keys: 'keyId',
  organizations: 'organizationId',
  users: 'userId',
  sessions: 'sessionId',
  blocks: 'blockId',
  roles: 'role',
}

/** A body that works, new on every call; undefined for an endpoint that takes none. */
export function bodyOf({ body, list }: Endpoint, ids: Ids): Json | readonly Json[] | undefined {
  return list?.(ids) ?? body?.()
}

export const methodOf = ({ route }: Pick<Endpoint, 'route'>) => route.slice(0, route.indexOf(' '))

/** The id in its path, or null when there is none. */
export function idInPath({ route }: Pick<Endpoint, 'route'>, ids: Ids): string | null {
  const [resource = '', parameter = ''] = route.slice(route.indexOf('/') + 1).split('/')
  return parameter.startsWith(':') ? ids[PARAMETERS[resource] ?? 'keyId'] : null
}

/** Its path with somebody's ids. */
export function pathOf(endpoint: Pick<Endpoint, 'route'>, ids: Ids): string {
  return `/auth${endpoint.route.slice(endpoint.route.indexOf('/')).replace(/:\w+/, idInPath(endpoint, ids) ?? '')}`
}
