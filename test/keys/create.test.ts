import { describe, expect, test } from 'bun:test'
import type { NewApiKey } from '../../src/keys/new-key.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, START } from '../support/services.ts'

const DAY = 86_400_000
const day = (days: number) => new Date(START + days * DAY).toISOString()

describe('a new key', () => {
  test('has defaults for all but its name, works, and is stored without its text', async () => {
    const services = createServices()
    const { key, rawKey } = await services.keys.create({ name: 'CI' })
    expect(rawKey).toMatch(/^mac_live_[A-Za-z0-9]{16}_[A-Za-z0-9]{49}$/)
    expect(key).toEqual({
      id: `key_${rawKey.slice(9, 25)}`,
      name: 'CI',
      prefix: rawKey.slice(0, 25),
      environment: 'live',
      organizationId: null,
      userId: null,
      permissions: [],
      ipAllowlist: [],
      rateLimit: null,
      monthlyQuota: null,
      credits: null,
      status: 'active',
      expiresAt: null,
      lastUsedAt: null,
      createdAt: day(0),
      revokedAt: null,
      revokedReason: null,
      rotatedFrom: null,
      description: null,
      metadata: null,
    })
    const dump = JSON.stringify([...services.memory.rows.keys.values(), ...services.memory.rows.audit.values()])
    expect(dump).not.toContain(rawKey.slice(26))
    expect(await services.authenticators.apiKey.resolve(rawKey)).toMatchObject({ kind: 'apiKey', id: key.id })
    expect(services.memory.rows.keys.get(key.id)?.createdBy).toBe('system')
    expect(auditedActions(services)).toEqual(['key.created'])
  })

  test('keeps what it is given, in its one form', async () => {
    const { keys } = createServices()
    const { key } = await keys.create({
      name: '<script>alert(1)</script>',
      environment: 'test',
      permissions: ['users:view', 'users.view', 'posts.*'],
      ipAllowlist: ['::ffff:10.1.2.3', '10.0.0.7/8', '2001:DB8::/32', '10.0.0.0/8'],
      description: 'two\nlines',
      metadata: { team: 'a', tags: ['x', 1, null, true], nested: { deep: 1 } },
      expiresInDays: 90,
    })
    expect(key).toMatchObject({
      name: '<script>alert(1)</script>',
      environment: 'test',
      permissions: ['users.view', 'posts.*'],
      ipAllowlist: ['10.1.2.3/32', '10.0.0.0/8', '2001:db8::/32'],
      description: 'two\nlines',
      metadata: { team: 'a', tags: ['x', 1, null, true], nested: { deep: 1 } },
      expiresAt: day(90),
    })
    expect(key.prefix).toStartWith('mac_test_')
  })

  test.each([
    { given: '2030-01-02T00:00:00Z', expected: day(1) },
    { given: '2030-01-02T01:00:00.500+01:00', expected: '2030-01-02T00:00:00.500Z' },
    { given: new Date(START + 1), expected: new Date(START + 1).toISOString() },
  ])('expires at $given', async ({ given, expected }) => {
    expect((await createServices().keys.create({ name: 'x', expiresAt: given })).key.expiresAt).toBe(expected)
  })

  test.each([
    { at: -1, expected: 'apiKey' },
    { at: 0, expected: 'refused' },
    { at: 1, expected: 'refused' },
  ])('at its expiry $at ms, known to the process or not: $expected', async ({ at, expected }) => {
    const { keys, authenticators, time } = createServices()
    const { rawKey } = await keys.create({ name: 'x', expiresAt: new Date(START + 1000) })
    const cold = await keys.create({ name: 'y', expiresAt: new Date(START + 1000) })
    await authenticators.apiKey.resolve(rawKey)
    time.now = START + 1000 + at
    for (const text of [rawKey, cold.rawKey])
      expect((await authenticators.apiKey.resolve(text)).kind).toBe(expected as 'apiKey')
  })
})

describe('what is refused by its place, with nothing written', () => {
  const deep = (levels: number): Record<string, unknown> => (levels === 0 ? {} : { in: deep(levels - 1) })
  const polluted = (text: string) => JSON.parse(text) as Record<string, unknown>
  const cases: { name: string; input: Partial<NewApiKey>; paths: string[] }[] = [
    { name: 'an empty name', input: { name: '' }, paths: ['name'] },
    { name: 'a blank name', input: { name: ' \u3000' }, paths: ['name'] },
    { name: 'a name of 256 characters', input: { name: 'x'.repeat(256) }, paths: ['name'] },
    { name: 'a name with a line break', input: { name: 'a\r\nSet-Cookie: x' }, paths: ['name'] },
    { name: 'a name that turns around', input: { name: 'a\u202eb' }, paths: ['name'] },
    { name: 'an environment of its own', input: { environment: 'prod' as 'live' }, paths: ['environment'] },
    { name: 'both ways to expire', input: { expiresAt: day(1), expiresInDays: 1 }, paths: ['expiresInDays'] },
    { name: 'a moment that passed', input: { expiresAt: day(-1) }, paths: ['expiresAt'] },
    { name: 'this moment', input: { expiresAt: day(0) }, paths: ['expiresAt'] },
    { name: 'a date without time', input: { expiresAt: '2031-01-01' }, paths: ['expiresAt'] },
    { name: 'a day that does not exist', input: { expiresAt: '2031-02-29T00:00:00Z' }, paths: ['expiresAt'] },
    { name: 'an invalid date', input: { expiresAt: new Date(Number.NaN) }, paths: ['expiresAt'] },
    { name: 'a year of five digits', input: { expiresAt: new Date(Date.UTC(10_000, 0)) }, paths: ['expiresAt'] },
    { name: 'no days', input: { expiresInDays: 0 }, paths: ['expiresInDays'] },
    { name: 'half a day', input: { expiresInDays: 0.5 }, paths: ['expiresInDays'] },
    { name: 'too many days', input: { expiresInDays: 36_526 }, paths: ['expiresInDays'] },
    {
      name: 'undeclared permissions',
      input: { permissions: ['users.view', 'users.fly', 'ghosts.*'] },
      paths: ['permissions.1', 'permissions.2'],
    },
    {
      name: 'names that are none',
      input: { permissions: ['Users.View', 'users view', '**', 'users.*.view', ''] },
      paths: [0, 1, 2, 3, 4].map((index) => `permissions.${index}`),
    },
    { name: 'too many permissions', input: { permissions: Array(201).fill('users.view') }, paths: ['permissions'] },
    {
      name: 'addresses that are none',
      input: { ipAllowlist: ['10.0.0.0/8', '10.0.0.256', '10.0.0.0/33', '010.0.0.1', 'x'] },
      paths: [1, 2, 3, 4].map((index) => `ipAllowlist.${index}`),
    },
    { name: 'too many addresses', input: { ipAllowlist: Array(101).fill('10.0.0.1') }, paths: ['ipAllowlist'] },
    { name: 'a long description', input: { description: 'x'.repeat(1001) }, paths: ['description'] },
    { name: 'a description with NUL', input: { description: 'a\0b' }, paths: ['description'] },
    { name: 'metadata over 4 KB', input: { metadata: { text: 'é'.repeat(2048) } }, paths: ['metadata'] },
    {
      name: 'metadata with __proto__',
      input: { metadata: polluted('{"__proto__": {"isAdmin": true}}') },
      paths: ['metadata'],
    },
    {
      name: 'metadata with __proto__ deep inside',
      input: { metadata: polluted('{"a": [{"b": {"__proto__": 1}}]}') },
      paths: ['metadata'],
    },
    {
      name: 'metadata with constructor',
      input: { metadata: { a: { constructor: { prototype: {} } } } },
      paths: ['metadata'],
    },
    {
      name: 'metadata that is an array',
      input: { metadata: [1] as unknown as Record<string, unknown> },
      paths: ['metadata'],
    },
    { name: 'metadata of a class', input: { metadata: { at: new Date() } }, paths: ['metadata'] },
    {
      name: 'metadata that is no JSON',
      input: { metadata: { big: 1n, inf: Number.POSITIVE_INFINITY } },
      paths: ['metadata'],
    },
    { name: 'metadata with NUL', input: { metadata: { a: '\0' } }, paths: ['metadata'] },
    { name: 'metadata without end', input: { metadata: deep(20) }, paths: ['metadata'] },
    { name: 'an unknown organization', input: { organizationId: 'org_ghost' }, paths: ['organizationId'] },
    { name: 'an unknown user', input: { userId: 'user_ghost' }, paths: ['userId'] },
    {
      name: 'several mistakes',
      input: { name: '', permissions: ['x y'], expiresInDays: -1 },
      paths: ['name', 'permissions.0', 'expiresInDays'],
    },
  ]
  test.each(cases)('$name', async ({ input, paths }) => {
    const { keys, memory } = createServices()
    await expectInvalid(keys.create({ name: 'x', ...input }), ...paths)
    expect(memory.rows.keys.size).toBe(0)
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  })

  test('an unknown permission is named; nothing else that was given is repeated', async () => {
    const { keys } = createServices()
    const work = keys.create({ name: 'secret-looking\nname', permissions: ['users.fly', 'No Such'] })
    const error = await expectRefused(work, 'validation_failed')
    expect(error.detail).toContain('users.fly')
    expect(JSON.stringify(error.toProblem())).not.toContain('secret-looking')
    expect(JSON.stringify(error.toProblem())).not.toContain('No Such')
  })

  test('metadata that contains itself', async () => {
    const { keys } = createServices()
    const loop: Record<string, unknown> = {}
    loop.self = loop
    await expectInvalid(keys.create({ name: 'x', metadata: loop }), 'metadata')
  })
})

describe('more than one has', () => {
  test.each([
    { name: 'a permission he lacks', actor: actorWith(['users.view']), permissions: ['users.update'] },
    { name: 'a wildcard over what he has one of', actor: actorWith(['users.view']), permissions: ['users.*'] },
    { name: '* from within an organization', actor: actorWith(['*'], { organizationId: 'org_1' }), permissions: ['*'] },
    {
      name: 'platform.admin from within an organization',
      actor: actorWith(['*'], { organizationId: 'org_1' }),
      permissions: ['platform.admin'],
    },
  ])('$name: nobody can give it', async ({ actor, permissions }) => {
    const { keys, memory } = createServices()
    const error = await expectRefused(keys.create({ name: 'x', permissions }, actor), 'permission_required')
    expect(error.extras.required).toEqual(permissions)
    expect(memory.rows.keys.size).toBe(0)
  })

  test('what he has himself he can', async () => {
    const { keys, organizations } = createServices()
    const { id } = await organizations.create({ name: 'Acme' })
    const actor = actorWith(['users.*', 'posts.view'], { organizationId: id })
    const { key } = await keys.create({ name: 'x', permissions: ['users.update', 'posts.view'] }, actor)
    expect(key).toMatchObject({ organizationId: id, permissions: ['users.update', 'posts.view'] })
  })
})
