import { describe, expect, test } from 'bun:test'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, START } from '../support/services.ts'

async function withKeys() {
  const services = createServices()
  const acme = (await services.organizations.create({ name: 'Acme' })).id
  const other = (await services.organizations.create({ name: 'Other' })).id
  const user = await services.users.create({ email: 'a@example.com' })
  const create = async (name: string, owner: { organizationId?: string; userId?: string }) => {
    services.time.now += 1
    return services.keys.create({ name, ...owner })
  }
  return {
    services,
    keys: services.keys,
    acme,
    other,
    user: user.id,
    inside: await create('inside', { organizationId: acme }),
    outside: await create('outside', { organizationId: other }),
    own: await create('own', { userId: user.id }),
    lent: await create('lent', { userId: user.id, organizationId: acme }),
    free: await create('free', {}),
  }
}

const names = (page: { readonly items: readonly { readonly name: string }[] }) => page.items.map(({ name }) => name)

describe('listing', () => {
  test('each sees his reach, newest first', async () => {
    const { keys, acme, user } = await withKeys()
    expect(names(await keys.list())).toEqual(['free', 'lent', 'own', 'outside', 'inside'])
    expect(names(await keys.list({}, {}, actorWith(['platform.admin'])))).toHaveLength(5)
    expect(names(await keys.list({}, {}, actorWith(['*'], { organizationId: acme })))).toEqual(['lent', 'inside'])
    expect(names(await keys.list({}, {}, actorWith(['users.*'], { userId: user })))).toEqual(['own'])
    expect(names(await keys.list({}, {}, actorWith(['users.*'])))).toEqual([])
  })

  test("asking for another's is not found, and written down", async () => {
    const { services, keys, acme, other, user } = await withKeys()
    const administrator = actorWith(['*'], { organizationId: acme })
    const person = actorWith([], { userId: user })
    await expectRefused(keys.list({ organizationId: other }, {}, administrator), 'not_found')
    await expectRefused(keys.list({ organizationId: acme }, {}, person), 'not_found')
    await expectRefused(keys.list({ userId: 'user_other' }, {}, person), 'not_found')
    expect(auditedActions(services).filter((action) => action === 'cross_tenant_attempt')).toHaveLength(3)
    expect(names(await keys.list({ organizationId: acme }, {}, administrator))).toEqual(['lent', 'inside'])
    expect(names(await keys.list({ userId: user }, {}, administrator))).toEqual(['lent'])
  })

  test('pages follow each other', async () => {
    const { keys } = await withKeys()
    const first = await keys.list({}, { limit: 2 })
    const second = await keys.list({}, { limit: 2, cursor: first.nextCursor ?? '' })
    const third = await keys.list({}, { limit: 2, cursor: second.nextCursor ?? '' })
    expect([first, second, third].flatMap(names)).toEqual(['free', 'lent', 'own', 'outside', 'inside'])
    expect(third.nextCursor).toBeNull()
  })

  test.each([0, 101, -1, 1.5, Number.NaN])('a limit of %p is refused', async (limit) => {
    await expectInvalid(createServices().keys.list({}, { limit }), 'limit')
  })

  test('a search text is bounded', async () => {
    await expectInvalid(createServices().keys.list({ q: 'x'.repeat(256) }), 'q')
  })

  test('revoked keys are there unless the status says otherwise', async () => {
    const { keys, inside } = await withKeys()
    await keys.revoke(inside.key.id)
    expect(names(await keys.list())).toContain('inside')
    expect(names(await keys.list({ status: 'revoked' }))).toEqual(['inside'])
    expect(names(await keys.list({ status: 'active' }))).not.toContain('inside')
  })
})

describe('finding', () => {
  test('within reach it is shown, beyond it is as unknown as one that is not there', async () => {
    const { services, keys, acme, inside, outside, free } = await withKeys()
    const actor = actorWith(['*'], { organizationId: acme })
    expect(await keys.find(inside.key.id, actor)).toEqual(inside.key)
    const answers = await Promise.all(
      [outside.key.id, free.key.id, 'key_ghost', ''].map((id) => expectRefused(keys.find(id, actor), 'not_found')),
    )
    expect(new Set(answers.map((error) => JSON.stringify(error.toProblem()))).size).toBe(1)
    const attempts = [...services.memory.rows.audit.values()].filter(({ action }) => action === 'cross_tenant_attempt')
    expect(attempts.map(({ subject }) => subject).sort()).toEqual([outside.key.id, free.key.id].sort())
    expect(attempts[0]?.actor).toBe(actor.id)
  })
})

describe('revoking', () => {
  test('is effective on the next request, and keeps who, when and why', async () => {
    const { services, keys, inside } = await withKeys()
    const { apiKey } = services.authenticators
    await apiKey.resolve(inside.rawKey)
    services.time.now = START + 1000
    const actor = actorWith(['platform.admin'], { userId: 'user_boss' })
    const view = await keys.revoke(inside.key.id, { reason: 'leaked\non a slide' }, actor)
    expect(view).toMatchObject({
      status: 'revoked',
      revokedAt: new Date(START + 1000).toISOString(),
      revokedReason: 'leaked\non a slide',
    })
    expect(apiKey.peek(inside.rawKey)).toBeUndefined()
    expect(await apiKey.resolve(inside.rawKey)).toMatchObject({ code: 'api_key_revoked' })
    expect(services.memory.rows.keys.get(inside.key.id)?.revokedBy).toBe('user_boss')
    expect(services.invalidated).toEqual([`key:${inside.key.id}`])
  })

  test('again answers it unchanged', async () => {
    const { services, keys, inside } = await withKeys()
    const first = await keys.revoke(inside.key.id, { reason: 'first' })
    services.time.now += 1000
    expect(await keys.revoke(inside.key.id, { reason: 'second' })).toEqual(first)
    expect(auditedActions(services).filter((action) => action === 'key.revoked')).toHaveLength(1)
  })

  test('at once from everywhere: one of them did it', async () => {
    const { services, keys, inside } = await withKeys()
    const reasons = ['a', 'b', 'c', 'd', 'e']
    const views = await Promise.all(reasons.map((reason) => keys.revoke(inside.key.id, { reason })))
    expect(new Set(views.map(({ revokedReason }) => revokedReason)).size).toBe(1)
    expect(auditedActions(services).filter((action) => action === 'key.revoked')).toHaveLength(1)
  })

  test("another's key is not found, and goes on working", async () => {
    const { services, keys, acme, outside } = await withKeys()
    await expectRefused(keys.revoke(outside.key.id, {}, actorWith(['*'], { organizationId: acme })), 'not_found')
    expect((await services.authenticators.apiKey.resolve(outside.rawKey)).kind).toBe('apiKey')
    expect(services.invalidated).toEqual([])
  })

  test.each(['x'.repeat(501), 'a\0b', 'a\u001b[2J'])('a reason like %p is refused', async (reason) => {
    const { keys, inside } = await withKeys()
    await expectInvalid(keys.revoke(inside.key.id, { reason }), 'reason')
    expect((await keys.find(inside.key.id)).status).toBe('active')
  })

  test('when the database does not answer in time, this process forgets the key nevertheless', async () => {
    const { services, keys, inside } = await withKeys()
    services.memory.before.set('keys.revoke', () => {
      throw new Error('timeout')
    })
    await expect(keys.revoke(inside.key.id)).rejects.toThrow('timeout')
    expect(services.invalidated).toEqual([`key:${inside.key.id}`])
  })

  test('what was done but cannot be written down is told', async () => {
    const { services, keys, inside } = await withKeys()
    services.memory.before.set('audit.append', () => {
      throw new Error('disk full')
    })
    await expect(keys.revoke(inside.key.id)).rejects.toThrow('disk full')
    expect(await services.authenticators.apiKey.resolve(inside.rawKey)).toMatchObject({ code: 'api_key_revoked' })
  })

  test('an unknown key: not found', async () => {
    await expectRefused(createServices().keys.revoke('key_ghost'), 'not_found')
  })
})
