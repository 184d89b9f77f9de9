/** Whose a new key becomes, and who may decide so. Opaque bearer tokens go the same way. */
import { describe, expect, test } from 'bun:test'
import type { Actor } from '../../src/authorization/actor.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices } from '../support/services.ts'

async function setUp() {
  const services = createServices()
  const { users, organizations } = services
  const acme = (await organizations.create({ name: 'Acme' })).id
  const other = (await organizations.create({ name: 'Other' })).id
  const create = (email: string, organizationId: string | null, roles: readonly string[]) =>
    users.create({ email: `${email}@example.com`, organizationId, roles }).then(({ id }) => id)
  return {
    services,
    acme,
    other,
    member: await create('member', acme, ['member']),
    boss: await create('boss', acme, ['admin']),
    stranger: await create('stranger', other, []),
    free: await create('free', null, ['support']),
  }
}

type World = Awaited<ReturnType<typeof setUp>>
interface Wanted {
  readonly organizationId?: string
  readonly userId?: string
}

const platform = () => actorWith(['*'])
const ofAcme = ({ acme }: World) => actorWith(['machine_auth.*', 'users.*'], { organizationId: acme })
const theColleague = ({ acme }: World) =>
  actorWith(['machine_auth.*', 'users.*'], { organizationId: acme, userId: 'user_colleague', roles: ['member'] })
const theMember = ({ acme, member }: World) => actorWith([], { organizationId: acme, userId: member })
const theFree = ({ free }: World) => actorWith(['users.view'], { userId: free })

describe('the owner', () => {
  const cases: {
    name: string
    actor: (world: World) => Actor
    wanted: (world: World) => Wanted
    expected: (world: World) => { organizationId: string | null; userId: string | null }
  }[] = [
    {
      name: 'nobody, for the platform',
      actor: platform,
      wanted: () => ({}),
      expected: () => ({ organizationId: null, userId: null }),
    },
    {
      name: 'an organization',
      actor: platform,
      wanted: ({ acme }) => ({ organizationId: acme }),
      expected: ({ acme }) => ({ organizationId: acme, userId: null }),
    },
    {
      name: 'a user brings his organization',
      actor: platform,
      wanted: ({ member }) => ({ userId: member }),
      expected: ({ acme, member }) => ({ organizationId: acme, userId: member }),
    },
    {
      name: 'a user and his organization',
      actor: platform,
      wanted: ({ acme, member }) => ({ organizationId: acme, userId: member }),
      expected: ({ acme, member }) => ({ organizationId: acme, userId: member }),
    },
    {
      name: 'a user of none, in any organization',
      actor: platform,
      wanted: ({ acme, free }) => ({ organizationId: acme, userId: free }),
      expected: ({ acme, free }) => ({ organizationId: acme, userId: free }),
    },
    {
      name: "the actor's organization by default",
      actor: ofAcme,
      wanted: () => ({}),
      expected: ({ acme }) => ({ organizationId: acme, userId: null }),
    },
    {
      name: "the actor's organization by name, for one of its users",
      actor: theColleague,
      wanted: ({ acme, member }) => ({ organizationId: acme, userId: member }),
      expected: ({ acme, member }) => ({ organizationId: acme, userId: member }),
    },
    {
      name: 'a member himself',
      actor: theMember,
      wanted: ({ member }) => ({ userId: member }),
      expected: ({ acme, member }) => ({ organizationId: acme, userId: member }),
    },
    {
      name: 'a person alone, by default',
      actor: theFree,
      wanted: () => ({}),
      expected: ({ free }) => ({ organizationId: null, userId: free }),
    },
    {
      name: 'a person alone, by name',
      actor: theFree,
      wanted: ({ free }) => ({ userId: free }),
      expected: ({ free }) => ({ organizationId: null, userId: free }),
    },
  ]
  test.each(cases)('$name', async ({ actor, wanted, expected }) => {
    const world = await setUp()
    const { key } = await world.services.keys.create({ name: 'x', ...wanted(world) }, actor(world))
    expect({ organizationId: key.organizationId, userId: key.userId }).toEqual(expected(world))
  })
})

describe('what an actor cannot reach is not found, and the attempt is written down', () => {
  const cases: { name: string; actor: (world: World) => Actor; wanted: (world: World) => Wanted }[] = [
    { name: "another's organization", actor: ofAcme, wanted: ({ other }) => ({ organizationId: other }) },
    { name: 'an organization that is none', actor: ofAcme, wanted: () => ({ organizationId: 'org_ghost' }) },
    { name: "another's user", actor: ofAcme, wanted: ({ stranger }) => ({ userId: stranger }) },
    { name: 'a user of no organization', actor: ofAcme, wanted: ({ free }) => ({ userId: free }) },
    { name: 'a user who is none', actor: ofAcme, wanted: () => ({ userId: 'user_ghost' }) },
    { name: 'any organization, for a person alone', actor: theFree, wanted: ({ acme }) => ({ organizationId: acme }) },
    { name: 'anybody else, for a person alone', actor: theFree, wanted: ({ stranger }) => ({ userId: stranger }) },
  ]
  test.each(cases)('$name', async ({ actor, wanted }) => {
    const world = await setUp()
    const { services } = world
    await expectRefused(services.keys.create({ name: 'x', ...wanted(world) }, actor(world)), 'not_found')
    // Within a minute it would be counted with the first one.
    services.time.now += 60_000
    await expectRefused(services.tokens.bearer.create({ name: 'x', ...wanted(world) }, actor(world)), 'not_found')
    expect(services.memory.rows.keys.size + services.memory.rows.tokens.size).toBe(0)
    expect(auditedActions(services).filter((action) => action === 'cross_tenant_attempt')).toHaveLength(2)
  })
})

describe('a key of somebody else', () => {
  test('who may do more than the actor is refused: its bearer would be he', async () => {
    const world = await setUp()
    const { keys, memory } = world.services
    for (const actor of [ofAcme(world), theMember(world)]) {
      await expectRefused(keys.create({ name: 'x', userId: world.boss }, actor), 'permission_required')
    }
    await keys.create({ name: 'x', userId: world.boss }, actorWith(['*'], { organizationId: world.acme }))
    expect(memory.rows.keys.size).toBe(1)
  })

  test("the user's organization cannot be another", async () => {
    const { services, other, member } = await setUp()
    await expectInvalid(services.keys.create({ name: 'x', userId: member, organizationId: other }), 'organizationId')
  })

  test('a key without owner needs the platform', async () => {
    const { services } = await setUp()
    const lonely = actorWith(['users.view'])
    await expectRefused(services.keys.create({ name: 'x' }, lonely), 'permission_required')
  })

  test('an attempt that cannot be written down is refused all the same', async () => {
    const world = await setUp()
    world.services.memory.before.set('audit.append', () => {
      throw new Error('disk full')
    })
    const work = world.services.keys.create({ name: 'x', organizationId: world.other }, ofAcme(world))
    await expectRefused(work, 'not_found')
  })
})

describe("an app's own users", () => {
  const known = { id: 'u1', email: 'u1@app.example', roles: ['support'], organizationId: null }
  const external = () => createServices({ users: { load: (id) => (id === known.id ? known : null) } })

  test('are accepted, also before the app knows them, from who may do everything', async () => {
    const { keys } = external()
    for (const userId of ['u1', 'u2']) {
      expect((await keys.create({ name: 'x', userId })).key.userId).toBe(userId)
    }
  })

  test('who may do more than the actor, or nobody knows what, are refused', async () => {
    const { keys, memory } = external()
    const actor = actorWith(['platform.admin', 'posts.view'])
    for (const userId of ['u1', 'u2']) {
      await expectRefused(keys.create({ name: 'x', userId }, actor), 'permission_required')
    }
    expect(memory.rows.keys.size).toBe(0)
    await keys.create({ name: 'x', userId: 'u1' }, actorWith(['platform.admin', 'users.view']))
  })

  test('whose organization the app says is held to', async () => {
    const services = createServices({ users: { load: (id) => ({ id, organizationId: acme }) } })
    let acme: string | null = null
    acme = (await services.organizations.create({ name: 'Acme' })).id
    const other = (await services.organizations.create({ name: 'Other' })).id
    expect((await services.keys.create({ name: 'x', userId: 'u1' })).key.organizationId).toBe(acme)
    await expectInvalid(services.keys.create({ name: 'x', userId: 'u1', organizationId: other }), 'organizationId')
    const actor = actorWith(['*'], { organizationId: other })
    await expectRefused(services.keys.create({ name: 'x', userId: 'u1' }, actor), 'not_found')
  })
})
