/** Organizations with people, keys and a past, that must not reach each other. */
import { SYSTEM } from '../../src/authorization/actor.ts'
import { listRoutes, sha256 } from '../../src/index.ts'
import type { Ids } from './endpoints.ts'
import { addKey, addSession, addTokens, createTestApp, type TestApp } from './test-app.ts'

type Headers = Readonly<Record<string, string>>

/** Somebody who acts. */
export interface Caller {
  /** As the audit log names him. */
  readonly id: string
  readonly headers: Headers
}

export interface Tenant extends Ids {
  /** Who may manage everything of the organization. */
  readonly callers: {
    readonly keeper: Caller
    readonly administrator: Caller
    readonly key: Caller
    readonly almightyKey: Caller
  }
}

export type CallerName = keyof Tenant['callers']

export const CALLERS: readonly CallerName[] = ['keeper', 'administrator', 'key', 'almightyKey']

/** Ids of the right form that nothing has. */
export const GHOST: Ids = {
  organizationId: 'org_0000000000000000',
  userId: 'user_0000000000000000',
  keyId: 'key_0000000000000000',
  rawKey: 'mac_live_nobody',
  sessionId: 'sess_0000000000000000',
  blockId: 'blk_0000000000000000',
  role: 'ghost',
}

/** An app with documentation, that takes over keys of SHA-256. */
export function createTenantApp(): Promise<TestApp> {
  return createTestApp({
    docs: { path: '/swagger' },
    logging: { mode: 'metadata_only' },
    apiKeys: { importKinds: [sha256()], defaultRateLimit: false },
  })
}

let made = 0

/** An organization with an administrator of each kind, a plain user with a session and a past, two keys, a block and a role. */
export async function addTenant(t: TestApp): Promise<Tenant> {
  made += 1
  const { core } = t
  const stem = `tenant${made}`
  const { id: organizationId } = await core.organizations.create({ name: stem })
  const addUser = async (name: string, roles: readonly string[]) =>
    (await core.users.create({ email: `${name}@${stem}.example`, roles, organizationId })).id
  const byToken = async (id: string) => ({ id, headers: (await addTokens(t, id)).headers })
  const [keeper, administrator, userId] = [
    await addUser('keeper', ['keeper']),
    await addUser('administrator', ['admin']),
    await addUser('member', []),
  ]
  const ended = await addSession(t, userId)
  await core.sessions.end(ended.id, userId, { ...SYSTEM, id: userId, organizationId })
  return {
    organizationId,
    userId,
    keyId: (await addKey(t, { organizationId, permissions: ['users.view'] })).id,
    rawKey: (await addKey(t, { userId })).rawKey,
    sessionId: (await addSession(t, userId)).id,
    blockId: (await core.blocks.add({ subject: `custom:${stem}`, duration: '1h' })).id,
    role: (await core.roles.put(stem, { permissions: ['users.view'] })).name,
    callers: {
      keeper: await byToken(keeper),
      administrator: await byToken(administrator),
      key: await addKey(t, { organizationId, permissions: ['machine_auth.*', 'users.*'] }),
      almightyKey: await addKey(t, { organizationId, permissions: ['*'] }),
    },
  }
}

/** Each route that is really mounted below the prefix. */
export function routesUnderPrefix({ app }: Pick<TestApp, 'app'>) {
  return listRoutes(app).flatMap(({ method, path, guards }) =>
    path.startsWith('/auth/') ? [{ route: `${method} ${path.slice('/auth'.length)}`, guards }] : [],
  )
}

/** What requests leave behind changes with each of them: events, what other processes hear of, counts, the last use. */
const PASSING = /audit|machine_auth_changes|machine_auth_request_log|machine_auth_usage(?!_receipts)/
const TOUCHED: ReadonlySet<string> = new Set(['last_used_at', 'last_seen_at'])

/** All that is stored, by table. */
export function storedIn({ client }: Pick<TestApp, 'client'>): Readonly<Record<string, readonly unknown[]>> {
  const tables = client.query<{ name: string }, []>("select name from sqlite_master where type = 'table'").all()
  const columnsOf = (name: string) =>
    client
      .query<{ name: string }, [string]>('select name from pragma_table_info(?)')
      .all(name)
      .flatMap((column) => (TOUCHED.has(column.name) ? [] : [`"${column.name}"`]))
  const rowsOf = (name: string) => client.query(`select ${columnsOf(name).join()} from "${name}"`).all()
  return Object.fromEntries(tables.flatMap(({ name }) => (PASSING.test(name) ? [] : [[name, rowsOf(name)]])))
}
