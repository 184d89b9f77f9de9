/** SECURITY.md, who may change a key: nobody makes more of it than he has himself, and no limit lifts itself. */
import { describe, expect, test } from 'bun:test'
import type { ErrorCode } from '../../src/errors.ts'
import type { KeyChange } from '../../src/keys/key-change.ts'
import type { NewApiKey } from '../../src/keys/new-key.ts'
import { expectRefused } from '../support/refusals.ts'
import { actorWith, createServices, START } from '../support/services.ts'

const at = (days: number) => new Date(START + days * 86_400_000).toISOString()

/** Keys that manage keys, each with one limit. */
const LIMITED = {
  test: { environment: 'test' },
  bound: { ipAllowlist: ['10.0.0.0/8'] },
  expiring: { expiresAt: at(10) },
  rated: { rateLimit: { limit: 50, window: '1m' } },
  metered: { monthlyQuota: 1000 },
  counted: { credits: { remaining: 50 } },
} satisfies Record<string, Partial<NewApiKey>>

async function setUp() {
  const services = createServices({ roles: { admin: ['*'], helper: ['machine_auth.*', 'users.view'], crown: [] } })
  const { organizations, users, keys, sessions, authenticators, memory } = services
  const rateLimit = { limit: 100, window: '1m' }
  const acme = (await organizations.create({ name: 'Acme', rateLimit })).id
  const other = (await organizations.create({ name: 'Other' })).id
  const tight = (await organizations.create({ name: 'Tight', maxPermissions: ['users.view', 'machine_auth.*'] })).id
  const person = async (name: string, organizationId: string | null, roles: readonly string[]) =>
    (await users.create({ email: `${name}@example.com`, organizationId, roles })).id
  const people = {
    boss: await person('boss', acme, ['admin']),
    helper: await person('helper', acme, ['helper']),
    crowned: await person('crowned', acme, ['crown']),
    tight: await person('tight', tight, ['admin']),
    free: await person('free', null, ['helper']),
    stranger: await person('stranger', null, ['helper']),
  }
  const texts = new Map<string, string>()
  const ids = new Map<string, string>()
  const create = async (name: string, input: Partial<NewApiKey>) => {
    const { key, rawKey } = await keys.create({ name, ...input })
    texts.set(name, rawKey)
    ids.set(name, key.id)
  }
  const manages = { organizationId: acme, permissions: ['machine_auth.*', 'users.view'] }
  await create('manager', manages)
  for (const [name, limit] of Object.entries(LIMITED)) await create(name, { ...manages, ...limit })
  await create('plain', { organizationId: acme, permissions: ['users.view'] })
  await create('strong', { organizationId: acme, permissions: ['users.view', 'posts.*'] })
  await create('strong off', { organizationId: acme, permissions: ['posts.view'] })
  await create('of the boss', { userId: people.boss })
  await create('of the crowned', { userId: people.crowned })
  await create('managing for the boss', { userId: people.boss, permissions: ['machine_auth.*'] })
  await create('powers of the boss', { userId: people.boss, permissions: ['posts.view'] })
  await create('foreign', { organizationId: other, permissions: ['users.view'] })
  await create('foreign off', { organizationId: other, permissions: ['users.view'] })
  await create('of nobody', { permissions: ['users.view'] })
  await create('in the tight one', { organizationId: tight, permissions: ['users.view'] })
  await create('free', { userId: people.free, permissions: ['users.view'] })
  await create('of a stranger', { userId: people.stranger, permissions: ['users.view'] })
  const idOf = (name: string) => ids.get(name) ?? ''
  for (const name of ['strong off', 'foreign off']) await keys.disable(idOf(name))

  /** Who presents the key of that name, or is the user of that name. */
  async function actorOf(name: string) {
    const text = texts.get(name)
    const userId = Object.entries(people).find(([person]) => `user ${person}` === name)?.[1] ?? ''
    const outcome =
      text === undefined
        ? await authenticators.session.resolve((await sessions.create(userId)).cookieValue)
        : await authenticators.apiKey.resolve(text)
    if (outcome.kind === 'refused') throw new Error(`${name}: ${outcome.code}`)
    return outcome
  }
  const snapshot = () => structuredClone([...memory.rows.keys.values(), ...memory.rows.organizations.values()])
  return { services, keys, memory, idOf, actorOf, snapshot }
}

type Attempt = KeyChange | 'rotate' | 'rotate at once' | 'disable' | 'revoke'

async function attemptTo(world: Awaited<ReturnType<typeof setUp>>, who: string, whose: string, attempt: Attempt) {
  const { keys, idOf, actorOf } = world
  const actor = await actorOf(who)
  const id = idOf(whose)
  if (attempt === 'rotate') return keys.rotate(id, {}, actor)
  if (attempt === 'rotate at once') return keys.rotate(id, { gracePeriod: '0s' }, actor)
  if (attempt === 'disable') return keys.disable(id, actor)
  if (attempt === 'revoke') return keys.revoke(id, {}, actor)
  return keys.update(id, attempt, actor)
}

type Row = readonly [who: string, whose: string, attempt: Attempt]

/** Whatever he wants to do with a key that may do more than he. */
const ANYTHING: readonly Attempt[] = [
  ...[{ name: 'mine' }, { description: 'mine' }, { metadata: null }, { permissions: [] }, { ipAllowlist: [] }],
  ...[{ permissions: ['users.view'] }, { expiresAt: null }, { monthlyQuota: null }, { enabled: true }],
  ...([{ enabled: false, name: 'mine' }, 'rotate', 'rotate at once'] satisfies readonly Attempt[]),
]
const LIFTING: Readonly<Record<keyof typeof LIMITED, readonly Attempt[]>> = {
  test: [],
  bound: [
    { ipAllowlist: [] },
    { ipAllowlist: ['0.0.0.0/0'] },
    { ipAllowlist: ['10.0.0.0/7'] },
    { ipAllowlist: ['10.0.0.0/8', '192.0.2.1'] },
  ],
  expiring: [{ expiresAt: null }, { expiresAt: at(10.001) }],
  rated: [
    { rateLimit: null },
    { rateLimit: { limit: 51, window: '1m' } },
    { rateLimit: { limit: 50, window: '59s' } },
    { rateLimit: { limit: 100, window: '1h' } },
  ],
  metered: [{ monthlyQuota: null }, { monthlyQuota: 1001 }],
  counted: [
    { credits: null },
    { credits: { remaining: 51 } },
    { credits: { remaining: 1, refill: { amount: 1000, every: '1s' } } },
    { name: 'mine' },
    'rotate at once',
  ],
}
const limited = Object.keys(LIMITED) as (keyof typeof LIMITED)[]

const FORBIDDEN: readonly Row[] = [
  // Keys that may do more, by themselves or by their owner.
  ...ANYTHING.map((attempt): Row => ['manager', 'strong', attempt]),
  ...ANYTHING.map((attempt): Row => ['user helper', 'strong', attempt]),
  ...ANYTHING.map((attempt): Row => ['manager', 'of the boss', attempt]),
  ...ANYTHING.map((attempt): Row => ['user helper', 'of the crowned', attempt]),
  ['manager', 'strong off', { enabled: true }],
  ['user helper', 'strong off', { enabled: true }],
  // A key does not get more of its owner than it was given.
  ['managing for the boss', 'powers of the boss', 'rotate'],
  ['managing for the boss', 'powers of the boss', { ipAllowlist: [] }],
  ['managing for the boss', 'managing for the boss', { permissions: ['*'] }],
  ['managing for the boss', 'of the boss', { permissions: ['users.view'] }],
  // A limit does not lift itself, nor is it left by another key.
  ...limited.flatMap((name) => LIFTING[name].map((attempt): Row => [name, name, attempt])),
  ...limited.flatMap((name) =>
    [{ name: 'mine' }, { permissions: [] }, 'rotate' as const].map((attempt): Row => [name, 'plain', attempt]),
  ),
  ...limited.map((name): Row => [name, 'manager', 'rotate']),
  ['rated', 'metered', { rateLimit: null }],
  ['bound', 'plain', { ipAllowlist: ['10.0.0.0/8'] }],
  // Nobody gives more than he has, and nobody in an organization the platform.
  ['manager', 'manager', { permissions: ['machine_auth.*', 'users.*'] }],
  ['manager', 'plain', { permissions: ['posts.view'] }],
  ['user helper', 'plain', { permissions: ['*'] }],
  ...[['*'], ['platform.admin'], ['platform.*'], ['users.view', '*']].flatMap((permissions): Row[] => [
    ['user boss', 'plain', { permissions }],
    ['user boss', 'of the boss', { permissions }],
    ['manager', 'manager', { permissions }],
  ]),
  // More than its organization has or allows.
  ['user boss', 'plain', { rateLimit: { limit: 101, window: '1m' } }],
  ['user boss', 'of the boss', { rateLimit: { limit: 100, window: '59s' } }],
  ['manager', 'manager', { rateLimit: { limit: 1000, window: '1d' } }],
  ['user tight', 'in the tight one', { permissions: ['posts.view'] }],
  ['user tight', 'in the tight one', { permissions: ['users.view', 'users.*'] }],
]

const UNSEEN: readonly Row[] = (
  [{ enabled: true }, { enabled: false }, { name: 'mine' }, {}, 'rotate', 'disable', 'revoke'] as const
).flatMap((attempt): Row[] => [
  ['user boss', 'foreign off', attempt],
  ['user boss', 'foreign', attempt],
  ['manager', 'foreign', attempt],
  ['manager', 'of nobody', attempt],
  ['user boss', 'free', attempt],
  ['user free', 'of a stranger', attempt],
  ['user free', 'of nobody', attempt],
  ['user free', 'plain', attempt],
  ['of nobody', 'of nobody', attempt],
])

const REFUSED: readonly (readonly [ErrorCode, readonly Row[]])[] = [
  ['permission_required', FORBIDDEN],
  ['not_found', UNSEEN],
]

describe.each([...REFUSED])('%s', (code, rows) => {
  test.each([...rows])('%s, with %s: %j', async (who, whose, attempt) => {
    const world = await setUp()
    const before = world.snapshot()
    world.services.invalidated.length = 0
    await expectRefused(attemptTo(world, who, whose, attempt), code)
    expect(world.snapshot()).toEqual(before)
    expect(world.services.invalidated).toEqual([])
    const actions = [...world.memory.rows.audit.values()].map(({ action }) => action)
    expect(actions.filter((action) => action === 'cross_tenant_attempt')).toHaveLength(code === 'not_found' ? 1 : 0)
    expect(actions.filter((action) => /updated|rotated|enabled|revoked/.test(action))).toEqual([])
  })
})

/** What is right to do, so that the refusals above are not simply of everybody. */
const ALLOWED: readonly Row[] = [
  // Whoever may revoke a key may switch it off.
  ['manager', 'strong', 'disable'],
  ['manager', 'of the boss', 'disable'],
  ['user helper', 'of the crowned', 'disable'],
  ...limited.map((name): Row => [name, 'strong', 'disable']),
  ['manager', 'strong', 'revoke'],
  ['manager', 'plain', { name: 'renamed', permissions: [] }],
  ['manager', 'manager', 'rotate'],
  ['user boss', 'strong', 'rotate'],
  ['user boss', 'strong off', { enabled: true }],
  ['user boss', 'plain', { permissions: ['posts.*', 'users.*'], rateLimit: { limit: 100, window: '1m' } }],
  ['user crowned', 'of the crowned', { name: 'mine', ipAllowlist: ['192.0.2.1'] }],
  ['user tight', 'in the tight one', { permissions: ['machine_auth.*'] }],
  ['user free', 'free', 'rotate'],
  ['managing for the boss', 'managing for the boss', 'rotate'],
  ['test', 'test', 'rotate'],
  ['bound', 'bound', { ipAllowlist: ['10.1.0.0/16'] }],
  ['expiring', 'expiring', { expiresAt: at(9) }],
  ['rated', 'rated', { rateLimit: { limit: 49, window: '1m' } }],
  ['metered', 'metered', { monthlyQuota: 999 }],
]

test.each([...ALLOWED])('%s may, with %s: %j', async (who, whose, attempt) => {
  const world = await setUp()
  const before = world.snapshot()
  await attemptTo(world, who, whose, attempt)
  expect(world.snapshot()).not.toEqual(before)
})

describe('keys of users that only the app knows', () => {
  const users = {
    load: (id: string) => (id === 'user_known' ? { id, roles: ['admin'], organizationId: null } : null),
  }
  const attempts: readonly Attempt[] = [{ name: 'mine' }, { ipAllowlist: [] }, 'rotate', { enabled: true }]

  test.each(attempts.flatMap((attempt) => ['user_known', 'user_unknown'].map((userId) => ({ userId, attempt }))))(
    'of $userId: $attempt needs all that he can, or may be able to',
    async ({ userId, attempt }) => {
      const services = createServices({ users, roles: { admin: ['*'] } })
      const { keys, organizations, memory } = services
      const { id: acme } = await organizations.create({ name: 'Acme' })
      const { key } = await keys.create({ name: 'k', userId, organizationId: acme })
      const act = (permissions: readonly string[]) => {
        const actor = actorWith(permissions, { organizationId: acme, userId: 'user_administrator', roles: ['admin'] })
        return attempt === 'rotate' ? keys.rotate(key.id, {}, actor) : keys.update(key.id, attempt as KeyChange, actor)
      }
      const before = structuredClone([...memory.rows.keys.values()])
      await expectRefused(act(['machine_auth.*', 'users.*', 'posts.*']), 'permission_required')
      expect([...memory.rows.keys.values()]).toEqual(before)
      await act(['*'])
      const disabled = await keys.disable(key.id, actorWith(['machine_auth.*'], { organizationId: acme }))
      expect(disabled.status).toBe('disabled')
    },
  )
})
