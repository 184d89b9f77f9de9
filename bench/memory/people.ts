/** What is stored before it is weighed: keys, users, organizations and sessions as an application has them. */
import { Database } from 'bun:sqlite'
import { createSecretHasher } from '../../src/authentication/hasher.ts'
import { hashSession } from '../../src/authentication/session.ts'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { generateSessionText } from '../../src/credentials/secret-text.ts'
import { openStorage } from '../../src/storage/open.ts'

export const SECRET = 'q7Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ5a'
export const ROLES = { member: { permissions: ['orders.*', 'reports.read', 'customers.read'] } } as const

const ORGANIZATIONS = 100
const HOUR = 3_600_000
const GRANTS = [
  '["orders.read"]',
  '["orders.read","orders.write"]',
  '["orders.*","reports.read"]',
  '["customers.read","orders.read","reports.read"]',
]
const NAMES = ['Production worker', 'Nightly export', 'CI of the shop', 'Partner integration']

type Row = Readonly<Record<string, string | number | null>>

/** What is presented of the things that are stored. */
export type Texts = readonly string[]

const idOf = (kind: string, index: number) => `${kind}_${String(index).padStart(16, '0')}`

function* organizations(): Generator<Row> {
  for (let index = 0; index < ORGANIZATIONS; index += 1) {
    yield { id: idOf('org', index), name: `Organization ${index}`, status: 'active', created_at: Date.now() }
  }
}

function* users(count: number): Generator<Row> {
  for (let index = 0; index < count; index += 1) {
    yield {
      id: idOf('user', index),
      email: `user${index}@example.com`,
      password_hash: `$argon2id$v=19$m=65536,t=2,p=1$${String(index).padStart(43, 'a')}$${String(index).padStart(43, 'b')}`,
      organization_id: idOf('org', index % ORGANIZATIONS),
      roles: '["member"]',
      status: 'active',
      tokens_not_before: 0,
      created_at: Date.now(),
    }
  }
}

/** Every second one of an organization, every fourth of a user, every tenth with an end, every twentieth with notes. */
function keys(count: number, texts: string[]): Row[] {
  const hasher = createSecretHasher([SECRET], 'api-key-pepper')
  return Array.from({ length: count }, (_, index): Row => {
    const { id, shown, raw } = generateApiKey('mac', 'live')
    const name = `${NAMES[index % NAMES.length]} ${index}`
    const { hash, pepper } = hasher.hash(raw)
    texts.push(raw)
    return {
      id,
      name,
      prefix: shown,
      environment: 'live',
      hash,
      pepper,
      organization_id: index % 2 === 0 ? idOf('org', index % ORGANIZATIONS) : null,
      user_id: index % 4 === 0 ? idOf('user', index) : null,
      permissions: GRANTS[index % GRANTS.length] ?? '[]',
      ip_allowlist: '[]',
      enabled: 1,
      expires_at: index % 10 === 0 ? Date.now() + 24 * 90 * HOUR : null,
      last_used_at: Date.now() - index,
      created_at: Date.now() - HOUR,
      created_by: idOf('user', index % 50),
      description: index % 20 === 0 ? `Made for the project ${index}` : null,
      metadata: index % 20 === 0 ? `{"team":"shop","ticket":"SHOP-${index}"}` : null,
      search_text: name.toLowerCase(),
    }
  })
}

function sessions(count: number, texts: string[]): Row[] {
  return Array.from({ length: count }, (_, index): Row => {
    const { id, raw } = generateSessionText()
    texts.push(raw)
    return {
      id,
      hash: hashSession(raw),
      user_id: idOf('user', index),
      created_at: Date.now() - HOUR,
      last_seen_at: Date.now(),
      expires_at: Date.now() + HOUR,
      address: '203.0.113.7',
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    }
  })
}

function insertAll(client: Database, table: string, rows: Iterable<Row>): void {
  let insert: ReturnType<Database['prepare']> | undefined
  for (const row of rows) {
    const columns = Object.keys(row)
    insert ??= client.prepare(
      `insert into machine_auth_${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    )
    insert.run(...Object.values(row))
  }
}

/** Stores so many of a kind, and as many users. In one transaction: storage's own verb waits for the disk each time. */
export async function store(file: string, kind: 'apiKey' | 'session' | 'jwt', count: number): Promise<Texts> {
  const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
  await ready
  await storage.close()
  const texts: string[] = []
  const client = new Database(file)
  client.transaction(() => {
    insertAll(client, 'organizations', organizations())
    insertAll(client, 'users', users(count))
    if (kind === 'apiKey') insertAll(client, 'api_keys', keys(count, texts))
    if (kind === 'session') insertAll(client, 'sessions', sessions(count, texts))
  })()
  client.close()
  return texts
}

export const userIdOf = (index: number) => idOf('user', index)
