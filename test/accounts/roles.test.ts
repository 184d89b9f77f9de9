import { describe, expect, test } from 'bun:test'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, createServices } from '../support/services.ts'

describe('stored roles', () => {
  test('count for their users from the next request on, inherited ones too', async () => {
    const services = createServices()
    const { roles } = services
    await roles.put('reader', { permissions: ['posts:view'] })
    const user = await services.users.create({ email: 'a@example.com', roles: ['reader'] })
    const { cookieValue } = await services.sessions.create(user.id)
    const granted = async () => {
      const outcome = await services.authenticators.session.resolve(cookieValue)
      return outcome.kind === 'refused' ? outcome.code : outcome.granted.names
    }
    expect(await granted()).toEqual(['posts.view'])
    await roles.put('reader', { permissions: ['posts.view'], inherits: ['support'] })
    expect(await granted()).toEqual(['posts.view', 'users.view'])
    await roles.delete('reader')
    expect(await granted()).toEqual([])
    expect(services.invalidated).toEqual(['role:reader', 'role:reader', 'role:reader'])
  })

  test('are listed after those of the options', async () => {
    const { roles } = createServices()
    await roles.put('reader', { permissions: ['posts.view'] })
    expect((await roles.list()).map(({ name, source }) => [name, source])).toEqual([
      ['admin', 'options'],
      ['support', 'options'],
      ['member', 'options'],
      ['reader', 'stored'],
    ])
    expect(await roles.find('reader')).toEqual({
      name: 'reader',
      permissions: ['posts.view'],
      inherits: [],
      source: 'stored',
    })
    await expectRefused(roles.find('ghost'), 'not_found')
  })

  test.each([
    { name: 'a name with a space', role: 'a b', input: { permissions: [] }, paths: ['name'] },
    { name: 'an upper-case name', role: 'Admin', input: { permissions: [] }, paths: ['name'] },
    { name: 'a name of JavaScript', role: '__proto__', input: { permissions: [] }, paths: ['name'] },
    {
      name: 'unknown permissions',
      role: 'r',
      input: { permissions: ['posts.fly', 'x y'] },
      paths: ['permissions.0', 'permissions.1'],
    },
    { name: 'an unknown parent', role: 'r', input: { permissions: [], inherits: ['ghost'] }, paths: ['inherits.0'] },
    {
      name: 'itself as parent',
      role: 'reader',
      input: { permissions: [], inherits: ['reader'] },
      paths: ['inherits.0'],
    },
    {
      name: 'a circle',
      role: 'reader',
      input: { permissions: [], inherits: ['support', 'editor'] },
      paths: ['inherits.1'],
    },
  ])('$name is refused', async ({ role, input, paths }) => {
    const { roles, memory } = createServices()
    await roles.put('reader', { permissions: ['posts.view'] })
    await roles.put('editor', { permissions: [], inherits: ['reader'] })
    const before = [...memory.rows.roles.values()]
    await expectInvalid(roles.put(role, input), ...paths)
    expect([...memory.rows.roles.values()]).toEqual(before)
  })

  test('roles of the options are changed there', async () => {
    const { roles } = createServices()
    await expectRefused(roles.put('admin', { permissions: [] }), 'conflict')
    await expectRefused(roles.delete('admin'), 'conflict')
  })

  test('deleting one that is not there: not found', async () => {
    await expectRefused(createServices().roles.delete('ghost'), 'not_found')
  })
})

describe('who may', () => {
  const inside = actorWith(['*'], { organizationId: 'org_1' })

  test('an organization touches no role, whatever it may do inside', async () => {
    const { roles, memory } = createServices()
    await expectRefused(roles.put('reader', { permissions: [] }, inside), 'permission_required')
    await expectRefused(roles.delete('reader', inside), 'permission_required')
    await expectRefused(roles.list(inside), 'permission_required')
    expect(memory.rows.roles.size).toBe(0)
  })

  test.each([
    { name: 'grants more than he has', role: 'new', input: { permissions: ['posts.update'] } },
    { name: 'inherits more than he has', role: 'new', input: { permissions: [], inherits: ['admin'] } },
    { name: 'granted more than he has', role: 'powerful', input: { permissions: [] } },
  ])('nobody writes a role that $name', async ({ role, input }) => {
    const { roles, memory } = createServices()
    await roles.put('powerful', { permissions: ['posts.*'] })
    const before = [...memory.rows.roles.values()]
    const actor = actorWith(['platform.admin', 'posts.view'])
    await expectRefused(roles.put(role, input, actor), 'permission_required')
    await expectRefused(roles.delete('powerful', actor), 'permission_required')
    expect([...memory.rows.roles.values()]).toEqual(before)
    await roles.put('new', { permissions: ['posts.view'] }, actor)
  })

  test('a registry that cannot be reloaded leaves nothing cached', async () => {
    const services = createServices()
    services.memory.before.set('roles.put', () => {
      services.memory.before.set('roles.list', () => {
        throw new Error('connection lost')
      })
    })
    await expect(services.roles.put('reader', { permissions: [] })).rejects.toThrow('connection lost')
    expect(services.invalidated).toEqual(['role:reader'])
  })
})
