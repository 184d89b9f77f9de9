/** The life of an organization, its user and its key, driven by `curl`, by command line and by code: one database state. */
import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { type AnyMachineAuth, createMachineAuth } from '../../src/core.ts'
import { machineAuth } from '../../src/plugin.ts'
import { MASTER_KEY, PASSWORD } from '../support/test-app.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

const CONFIG = `export default {
  roles: { admin: ['*'], user: ['posts.view'], keeper: ['machine_auth.*', 'posts.*'] },
  modules: { posts: { label: 'Posts' } },
  apiKeys: { defaultRateLimit: false },
}`
const EXPIRES = '2030-03-01T00:00:00.000Z'
const OTHER_PASSWORD = 'another horse battery'

type Ids = Record<string, string>
type Answer = { readonly id?: string; readonly key?: { readonly id: string } } | undefined

interface Step {
  /** Names the id that the answer has, for the steps after it. */
  readonly as?: string
  readonly code: (core: AnyMachineAuth, ids: Ids) => Promise<unknown>
  readonly http: (ids: Ids) => readonly [method: string, path: string, body?: object]
  readonly cli: (ids: Ids) => readonly string[]
  /** What the command reads from standard input. */
  readonly stdin?: string
}

const KEY = {
  name: 'CI',
  permissions: ['posts.view'],
  environment: 'test',
  expiresAt: EXPIRES,
  ipAllowlist: ['203.0.113.0/24'],
  rateLimit: { limit: 100, window: '1m' },
  monthlyQuota: 5000,
  description: 'nightly',
  metadata: { team: 'a' },
} as const

const STEPS: Readonly<Record<string, Step>> = {
  'create an organization': {
    as: 'org',
    code: (core) => core.organizations.create({ name: 'Acme', maxKeyLifetime: '90d' }),
    http: () => ['POST', '/organizations', { name: 'Acme', maxKeyLifetime: '90d' }],
    cli: () => ['org', 'create', 'Acme', '--max-key-lifetime', '90d'],
  },
  'limit it': {
    code: (core, { org = '' }) => core.organizations.update(org, { monthlyQuota: 9000, maxPermissions: ['posts.*'] }),
    http: ({ org }) => ['PATCH', `/organizations/${org}`, { monthlyQuota: 9000, maxPermissions: ['posts.*'] }],
    cli: () => ['org', 'update', 'Acme', '--quota', '9000', '--max-permission', 'posts.*'],
  },
  'create a user': {
    as: 'user',
    code: (core, { org }) =>
      core.users.create({ email: 'a@example.com', password: PASSWORD, organizationId: org, roles: ['keeper'] }),
    http: ({ org }) => [
      'POST',
      '/users',
      { email: 'a@example.com', password: PASSWORD, organizationId: org, roles: ['keeper'] },
    ],
    cli: () => ['user', 'create', 'a@example.com', '--organization', 'Acme', '--role', 'keeper', '--password-stdin'],
    stdin: `${PASSWORD}\n`,
  },
  'give other roles': {
    code: (core, { user = '' }) => core.users.setRoles(user, ['user']),
    http: ({ user }) => ['PATCH', `/users/${user}`, { roles: ['user'] }],
    cli: () => ['user', 'set-roles', 'a@example.com', 'user'],
  },
  'give another password': {
    code: (core, { user = '' }) => core.users.setPassword(user, OTHER_PASSWORD),
    http: ({ user }) => ['PATCH', `/users/${user}`, { password: OTHER_PASSWORD }],
    cli: () => ['user', 'set-password', 'a@example.com', '--password-stdin'],
    stdin: `${OTHER_PASSWORD}\n`,
  },
  'store a role': {
    code: (core) => core.roles.put('editor', { permissions: ['posts.*'], inherits: ['user'] }),
    http: () => ['PUT', '/roles/editor', { permissions: ['posts.*'], inherits: ['user'] }],
    cli: () => ['role', 'set', 'editor', '--permission', 'posts.*', '--inherits', 'user'],
  },
  'create a key': {
    as: 'key',
    code: (core, { org }) => core.keys.create({ ...KEY, organizationId: org }),
    http: ({ org }) => ['POST', '/keys', { ...KEY, organizationId: org }],
    cli: () => [
      ...['key', 'create', '--organization', 'Acme', '--name', 'CI', '--permission', 'posts.view'],
      ...['--environment', 'test', '--expires', EXPIRES, '--ip', '203.0.113.0/24', '--rate-limit', '100/1m'],
      ...['--quota', '5000', '--description', 'nightly', '--metadata', '{"team":"a"}'],
    ],
  },
  'change it': {
    code: (core, { key = '' }) =>
      core.keys.update(key, { name: 'CD', monthlyQuota: null, credits: { remaining: 7 }, ipAllowlist: [] }),
    http: ({ key }) => [
      'PATCH',
      `/keys/${key}`,
      { name: 'CD', monthlyQuota: null, credits: { remaining: 7 }, ipAllowlist: [] },
    ],
    cli: ({ key = '' }) => ['key', 'update', key, '--name', 'CD', '--no-quota', '--credits', '7', '--no-ip'],
  },
  'disable it': {
    code: (core, { key = '' }) => core.keys.disable(key),
    http: ({ key }) => ['PATCH', `/keys/${key}`, { enabled: false }],
    cli: ({ key = '' }) => ['key', 'disable', key, '--yes'],
  },
  'enable it': {
    code: (core, { key = '' }) => core.keys.enable(key),
    http: ({ key }) => ['PATCH', `/keys/${key}`, { enabled: true }],
    cli: ({ key = '' }) => ['key', 'enable', key],
  },
  'rotate it': {
    as: 'successor',
    code: (core, { key = '' }) => core.keys.rotate(key, { gracePeriod: '0s' }),
    http: ({ key }) => ['POST', `/keys/${key}/rotate`, { gracePeriod: '0s' }],
    cli: ({ key = '' }) => ['key', 'rotate', key, '--grace', '0s', '--yes'],
  },
  'revoke its successor': {
    code: (core, { successor = '' }) => core.keys.revoke(successor, { reason: 'leaked' }),
    http: ({ successor }) => ['POST', `/keys/${successor}/revoke`, { reason: 'leaked' }],
    cli: ({ successor = '' }) => ['key', 'revoke', successor, '--reason', 'leaked', '--yes'],
  },
  'create another key': {
    code: (core, { org }) => core.keys.create({ name: 'Other', organizationId: org }),
    http: ({ org }) => ['POST', '/keys', { name: 'Other', organizationId: org }],
    cli: () => ['key', 'create', '--organization', 'Acme', '--name', 'Other'],
  },
  'lock the keys down': {
    code: (core, { org }) => core.keys.lockdown({ organizationId: org, reason: 'drill' }),
    http: ({ org }) => ['POST', '/keys/lockdown', { organizationId: org, reason: 'drill' }],
    cli: () => ['key', 'lockdown', '--organization', 'Acme', '--reason', 'drill', '--yes'],
  },
  'block an address': {
    as: 'block',
    code: (core) => core.blocks.add({ subject: '203.0.113.5', duration: '24h', reason: 'scraping' }),
    http: () => ['POST', '/blocks', { subject: '203.0.113.5', duration: '24h', reason: 'scraping' }],
    cli: () => ['block', 'add', '203.0.113.5', '--duration', '24h', '--reason', 'scraping'],
  },
  'end the block': {
    code: (core, { block = '' }) => core.blocks.remove(block),
    http: ({ block }) => ['DELETE', `/blocks/${block}`],
    cli: ({ block = '' }) => ['block', 'remove', block, '--yes'],
  },
  'disable the user': {
    code: (core, { user = '' }) => core.users.disable(user),
    http: ({ user }) => ['PATCH', `/users/${user}`, { status: 'disabled' }],
    cli: () => ['user', 'disable', 'a@example.com', '--yes'],
  },
  'suspend the organization': {
    code: (core, { org = '' }) => core.organizations.suspend(org),
    http: ({ org }) => ['PATCH', `/organizations/${org}`, { status: 'suspended' }],
    cli: () => ['org', 'suspend', 'Acme', '--yes'],
  },
  'activate the organization': {
    code: (core, { org = '' }) => core.organizations.activate(org),
    http: ({ org }) => ['PATCH', `/organizations/${org}`, { status: 'active' }],
    cli: () => ['org', 'activate', 'Acme'],
  },
  'synchronize the permissions': {
    code: (core) => core.permissions.sync(),
    http: () => ['POST', '/permissions/sync'],
    cli: () => ['permissions', 'sync'],
  },
  'delete the role': {
    code: (core) => core.roles.delete('editor'),
    http: () => ['DELETE', '/roles/editor'],
    cli: () => ['role', 'delete', 'editor', '--yes'],
  },
}

/** Does every step in order, a ms after the one before. */
async function live(directory: CliDirectory, act: (step: Step, ids: Ids) => Promise<unknown>): Promise<void> {
  const ids: Ids = {}
  for (const step of Object.values(STEPS)) {
    directory.time.now += 1
    const answer = (await act(step, ids)) as Answer
    if (step.as !== undefined) ids[step.as] = answer?.key?.id ?? answer?.id ?? ''
  }
}

const openCore = ({ env, path, time }: CliDirectory) =>
  createMachineAuth<string>(
    { masterKey: MASTER_KEY, docs: false },
    { env, cwd: path, clock: () => time.now, warn: () => undefined },
  )

async function byCode(directory: CliDirectory): Promise<void> {
  await using core = openCore(directory)
  await core.ready
  await live(directory, (step, ids) => step.code(core, ids))
}

async function byCurl(directory: CliDirectory): Promise<void> {
  await using core = openCore(directory)
  const app = new Elysia().use(machineAuth(core)).listen({ port: 0, hostname: '127.0.0.1' })
  await live(directory, async (step, ids) => {
    const [method, path, body] = step.http(ids)
    const data = body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)]
    const url = `http://127.0.0.1:${app.server?.port}/auth${path}`
    const run = Bun.spawn([
      'curl',
      '-sS',
      '--fail-with-body',
      '-X',
      method,
      '-H',
      `X-Admin-Key: ${MASTER_KEY}`,
      ...data,
      url,
    ])
    const text = await new Response(run.stdout).text()
    expect(await run.exited, `${method} ${path}: ${text}`).toBe(0)
    return text === '' ? undefined : JSON.parse(text)
  })
  await app.stop(true)
}

async function byCommand(directory: CliDirectory): Promise<void> {
  await live(directory, (step, ids) =>
    must(directory, step.cli(ids), step.stdin === undefined ? {} : { stdin: step.stdin }),
  )
}

/** Who acted, from where, and what is drawn at random or made of the secret. */
const OTHERWISE = new Set([
  ...['actor', 'address', 'request_id', 'created_by', 'revoked_by'],
  ...['hash', 'password_hash', 'pepper', 'mac', 'mac_key', 'sequence', 'nonce'],
])
const TABLES = ['organizations', 'users', 'api_keys', 'roles', 'blocks', 'permissions', 'quotas', 'audit', 'changes']

/** Every row that counts, with ids by the order in which they appear. */
function stateOf({ path }: CliDirectory): readonly string[] {
  const client = new Database(join(path, 'auth.db'), { readonly: true })
  const names = new Map<string, string>()
  const nameOf = (id: string) => {
    const known = names.get(id) ?? `#${names.size + 1}`
    names.set(id, known)
    return known
  }
  const rows = TABLES.flatMap((table) =>
    client
      .query<Record<string, unknown>, []>(`select * from machine_auth_${table} order by rowid`)
      .all()
      .filter(({ action, kind }) => action !== 'signing_key.created' && kind !== 'signing_key')
      .map((row) => Object.entries(row).filter(([column]) => !OTHERWISE.has(column)))
      .map((row) => `${table} ${JSON.stringify(Object.fromEntries(row))}`),
  )
  client.close()
  return rows.map((row) =>
    row
      .replaceAll(/(?:_|")([A-Za-z0-9]{16})(?=\\?")/g, (_, id: string) => `_${nameOf(id)}`)
      // A command is told the time once more: what happened lies within a second in each way.
      .replaceAll(/\b(1[89]\d{8})\d{3}\b/g, '$1 s')
      .replaceAll(/(:\d\d)\.\d{3}Z/g, '$1Z'),
  )
}

// Nothing but Bun may be on a machine; where all is checked, curl is.
test.skipIf(Bun.which('curl') === null && process.env.CI === undefined)('one life, three ways, one state', async () => {
  const states: Record<string, readonly string[]> = {}
  for (const [way, drive] of Object.entries({ code: byCode, curl: byCurl, command: byCommand })) {
    using directory = createDirectory()
    await Bun.write(join(directory.path, 'machine-auth.config.ts'), CONFIG)
    await drive(directory)
    states[way] = stateOf(directory)
  }
  expect(states.code?.length).toBeGreaterThan(60)
  expect(states.curl).toEqual(states.code ?? [])
  expect(states.command).toEqual(states.code ?? [])
})
