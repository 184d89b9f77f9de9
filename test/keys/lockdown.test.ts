/** Revoking many keys at once. */
import { describe, expect, test } from 'bun:test'
import type { Actor } from '../../src/authorization/actor.ts'
import type { LockdownInput } from '../../src/keys/lockdown.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, START } from '../support/services.ts'

const HOUR = 3_600_000
const LATER = new Date(START + 2 * HOUR)
const MIDDLE = new Date(START + HOUR)

async function setUp() {
  const services = createServices()
  const { organizations, users, keys, time, memory } = services
  const acme = (await organizations.create({ name: 'Acme' })).id
  const other = (await organizations.create({ name: 'Other' })).id
  const member = (await users.create({ email: 'm@acme.example', organizationId: acme, roles: ['admin'] })).id
  const stranger = (await users.create({ email: 's@other.example', organizationId: other })).id
  const free = (await users.create({ email: 'f@example.com' })).id
  const made = new Map<string, { id: string; rawKey: string }>()
  const create = async (name: string, owner: { organizationId?: string; userId?: string }) => {
    const { key, rawKey } = await keys.create({ name, ...owner, permissions: ['*'] })
    made.set(name, { id: key.id, rawKey })
  }
  await create('acme old', { organizationId: acme })
  await create('free old', { userId: free })
  time.now = START + HOUR
  await create('acme new', { organizationId: acme })
  await create('member', { userId: member })
  await create('stranger', { userId: stranger })
  await create('free new', { userId: free })
  await create('lent', { userId: free, organizationId: acme })
  await create('nobody', {})
  const { apiKey } = services.authenticators
  return {
    ...{ services, keys, memory, acme, other, member, stranger, free, made },
    /** The names of the keys that are refused, as whoever presents them next finds out. */
    async refused() {
      const names: string[] = []
      for (const [name, { rawKey }] of made) {
        const outcome = await apiKey.resolve(rawKey)
        if (outcome.kind === 'refused' && outcome.code === 'api_key_revoked') names.push(name)
      }
      return names.sort()
    },
    /** Fills the cache. */
    async useAll() {
      for (const { rawKey } of made.values()) await apiKey.resolve(rawKey)
    },
    events: () => [...memory.rows.audit.values()].filter(({ action }) => action === 'keys.locked_down'),
  }
}

type World = Awaited<ReturnType<typeof setUp>>
const platform = () => actorWith(['platform.admin'], { userId: 'user_boss' })
/** He has less than the keys he locks: as with revoking, that is no matter. */
const ofAcme = ({ acme }: World) => actorWith(['machine_auth.*'], { organizationId: acme, userId: 'user_colleague' })
const theFree = ({ free }: World) => actorWith([], { userId: free })
const nobody = () => actorWith(['users.*'])

interface Case {
  readonly name: string
  readonly actor: (world: World) => Actor
  readonly input: (world: World) => LockdownInput
  readonly expected: readonly string[]
}
const CASES: readonly Case[] = [
  {
    name: 'the platform, an organization',
    actor: platform,
    input: ({ acme }) => ({ organizationId: acme }),
    expected: ['acme new', 'acme old', 'lent', 'member'],
  },
  {
    name: 'the platform, a user wherever he is',
    actor: platform,
    input: ({ free }) => ({ userId: free }),
    expected: ['free new', 'free old', 'lent'],
  },
  {
    name: 'the platform, all from before a moment',
    actor: platform,
    input: () => ({ createdBefore: MIDDLE }),
    expected: ['acme old', 'free old'],
  },
  {
    name: 'the platform, everything',
    actor: platform,
    input: () => ({ createdBefore: LATER }),
    expected: ['acme new', 'acme old', 'free new', 'free old', 'lent', 'member', 'nobody', 'stranger'],
  },
  {
    name: 'the platform, by all three conditions',
    actor: platform,
    input: ({ acme, free }) => ({ organizationId: acme, userId: free, createdBefore: '2030-01-01T01:00:00.001Z' }),
    expected: ['lent'],
  },
  {
    name: 'an organization, itself',
    actor: ofAcme,
    input: ({ acme }) => ({ organizationId: acme }),
    expected: ['acme new', 'acme old', 'lent', 'member'],
  },
  {
    name: 'an organization, from before a moment: its own',
    actor: ofAcme,
    input: () => ({ createdBefore: LATER }),
    expected: ['acme new', 'acme old', 'lent', 'member'],
  },
  {
    name: 'an organization, a user: what he has within it',
    actor: ofAcme,
    input: ({ free }) => ({ userId: free }),
    expected: ['lent'],
  },
  {
    name: 'a person, himself',
    actor: theFree,
    input: ({ free }) => ({ userId: free }),
    expected: ['free new', 'free old'],
  },
  {
    name: 'a person, from before a moment: his own',
    actor: theFree,
    input: () => ({ createdBefore: LATER }),
    expected: ['free new', 'free old'],
  },
  { name: 'a key of nobody: nothing', actor: nobody, input: () => ({ createdBefore: LATER }), expected: [] },
]

describe('a lockdown by', () => {
  test.each([...CASES])('$name', async ({ actor, input, expected }) => {
    const world = await setUp()
    const { keys, memory, services, events } = world
    await world.useAll()
    const before = structuredClone([...memory.rows.keys.values()])
    services.invalidated.length = 0
    const asked = { ...input(world), reason: 'leaked\nbackup' }
    const [by, count] = [actor(world), expected.length]
    expect(await keys.lockdown({ ...asked, dryRun: true }, by)).toEqual({ count, dryRun: true })
    expect([...memory.rows.keys.values()]).toEqual(before)
    expect([services.invalidated, memory.rows.changes.length, events()]).toEqual([[], 0, []])
    expect(await world.refused()).toEqual([])
    expect(await keys.lockdown(asked, by)).toEqual({ count, dryRun: false })
    expect(await world.refused()).toEqual([...expected])
    for (const name of expected) {
      const key = memory.rows.keys.get(world.made.get(name)?.id ?? '')
      expect(key).toMatchObject({ revokedAt: START + HOUR, revokedReason: 'leaked\nbackup', revokedBy: by.id })
    }
  })

  test.each<[string, (world: World) => Actor, (world: World) => LockdownInput]>([
    ['an organization, of another', ofAcme, ({ other }) => ({ organizationId: other })],
    ["an organization, of another's user", ofAcme, ({ stranger }) => ({ userId: stranger })],
    ['an organization, of a user that is not there', ofAcme, () => ({ userId: 'user_ghost' })],
    ['an organization, of one that is not there', ofAcme, () => ({ organizationId: 'org_ghost' })],
    ['a person, of another user', theFree, ({ member }) => ({ userId: member })],
    ['a person, of an organization', theFree, ({ acme }) => ({ organizationId: acme })],
    ['a person, of himself in an organization', theFree, ({ acme, free }) => ({ organizationId: acme, userId: free })],
    ['a key of nobody, of a user', nobody, ({ free }) => ({ userId: free })],
  ])('%s is not found, and written down, also as a dry run', async (_, actor, input) => {
    const world = await setUp()
    const asked = input(world)
    const by = actor(world)
    await expectRefused(world.keys.lockdown({ ...asked, dryRun: true }, by), 'not_found')
    // Within a minute it would be counted with the first one.
    world.services.time.now += 60_000
    await expectRefused(world.keys.lockdown(asked, by), 'not_found')
    expect(await world.refused()).toEqual([])
    const attempts = [...world.memory.rows.audit.values()].filter(({ action }) => action === 'cross_tenant_attempt')
    const subject = asked.organizationId ?? asked.userId ?? ''
    expect(attempts.map((attempt) => [attempt.actor, attempt.subject])).toEqual(Array(2).fill([by.id, subject]))
  })
})

test.each<[Record<string, unknown>, string]>([
  [{}, 'body'],
  [{ reason: 'panic', dryRun: true }, 'body'],
  [{ organizationId: undefined, userId: undefined }, 'body'],
  [{ createdBefore: 'yesterday' }, 'createdBefore'],
  [{ createdBefore: new Date(Number.NaN) }, 'createdBefore'],
  [{ userId: 'user_1', reason: 'a\0b' }, 'reason'],
  [{ userId: 'user_1', reason: 'x'.repeat(501) }, 'reason'],
])('%p is refused, by whomever', async (input, path) => {
  for (const actor of [platform, ofAcme, theFree, nobody]) {
    const world = await setUp()
    // What JavaScript can send.
    await expectInvalid(world.keys.lockdown(input as LockdownInput, actor(world)), path)
    expect(await world.refused()).toEqual([])
    expect(world.memory.rows.changes).toEqual([])
  }
})

test('is written down with what it was, and those revoked before keep their reason', async () => {
  const world = await setUp()
  const { keys, acme, services, events } = world
  const { id = '' } = world.made.get('acme old') ?? {}
  await keys.revoke(id, { reason: 'first' })
  services.invalidated.length = 0
  await keys.lockdown({ organizationId: acme, createdBefore: LATER, reason: 'breach' }, platform())
  expect(await keys.find(id)).toMatchObject({ revokedReason: 'first' })
  expect(services.invalidated).toEqual(['key:*'])
  const details = {
    ...{ count: 3, organizationId: acme, userId: null },
    ...{ createdBefore: LATER.toISOString(), reason: 'breach' },
  }
  expect(events()).toMatchObject([{ actor: 'user_boss', subject: acme, organizationId: acme, details }])
  expect(auditedActions(services).at(-1)).toBe('keys.locked_down')
  expect(await keys.lockdown({ organizationId: acme }, platform())).toEqual({ count: 0, dryRun: false })
})
