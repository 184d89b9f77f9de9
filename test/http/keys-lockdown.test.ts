import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem } from '../support/answers.ts'
import { addKey, addTokens, asMaster, createTestApp, START, type TestApp } from '../support/test-app.ts'

const DAY = 86_400_000
const at = (days: number) => new Date(START + days * DAY).toISOString()

type Headers = Readonly<Record<string, string>>

let t: TestApp
let acme: string
let rival: string
let alice: string
let bob: string
let keys: Readonly<Record<string, { readonly id: string; readonly headers: Headers }>>

beforeEach(async () => {
  t = await createTestApp()
  const { core, time } = t
  acme = (await core.organizations.create({ name: 'Acme' })).id
  rival = (await core.organizations.create({ name: 'Rival' })).id
  alice = (await core.users.create({ email: 'alice@example.com', roles: ['keeper'], organizationId: acme })).id
  bob = (await core.users.create({ email: 'bob@example.com', roles: ['keeper'], organizationId: rival })).id
  const made: Record<string, { readonly id: string; readonly headers: Headers }> = {}
  // A day between one and the next.
  for (const [name, owner] of Object.entries({
    acme: { organizationId: acme },
    alice: { userId: alice },
    rival: { organizationId: rival },
    bob: { userId: bob },
    nobody: {},
  })) {
    made[name] = await addKey(t, owner)
    time.now += DAY
  }
  keys = made
})
afterEach(() => t.close())

const lockdown = (body: unknown, headers: Headers = asMaster) =>
  t.ask('/auth/keys/lockdown', { method: 'POST', headers, body })

/** The keys that still work. */
async function working(): Promise<readonly string[]> {
  const names: string[] = []
  for (const [name, { headers }] of Object.entries(keys)) {
    if ((await t.ask('/key', { headers })).status === 200) names.push(name)
  }
  return names
}

const ALL = ['acme', 'alice', 'rival', 'bob', 'nobody']

describe('POST /keys/lockdown', () => {
  const SELECTIONS: readonly (readonly [string, () => object, readonly string[]])[] = [
    ['an organization', () => ({ organizationId: acme }), ['rival', 'bob', 'nobody']],
    ['a user', () => ({ userId: bob }), ['acme', 'alice', 'rival', 'nobody']],
    ['a moment', () => ({ createdBefore: at(3) }), ['bob', 'nobody']],
    [
      'an organization and a moment',
      () => ({ organizationId: rival, createdBefore: at(3) }),
      ['acme', 'alice', 'bob', 'nobody'],
    ],
    [
      'a user and his organization',
      () => ({ organizationId: acme, userId: alice }),
      ['acme', 'rival', 'bob', 'nobody'],
    ],
    ['a user and another organization', () => ({ organizationId: acme, userId: bob }), ALL],
    ['the beginning of time', () => ({ createdBefore: at(0) }), ALL],
    ['all of it', () => ({ createdBefore: at(100) }), []],
  ]

  test.each([{ userId: 'user_none' }, { organizationId: 'org_none' }])(
    '%p, whom nobody knows, is 404 for the platform too: a typo does not look like success',
    async (selection) => {
      for (const dryRun of [true, false]) {
        expect((await lockdown({ ...selection, dryRun })).said).toBe('404 not_found')
      }
      expect(await working()).toEqual(ALL)
    },
  )

  test.each(SELECTIONS)('by %s: counts, and then revokes at once', async (_, selection, left) => {
    const count = ALL.length - left.length
    expect(await working()).toEqual(ALL)
    const dry = await lockdown({ ...selection(), dryRun: true })
    expect([dry.status, dry.json]).toEqual([200, { count, dryRun: true }])
    expect(dry.headers.get('cache-control')).toBe('no-store')
    expect(await working()).toEqual(ALL)
    const done = await lockdown({ ...selection(), reason: 'Leaked backup' })
    expect([done.status, done.json]).toEqual([200, { count, dryRun: false }])
    expect(await working()).toEqual([...left])
    expect((await lockdown(selection())).json).toEqual({ count: 0, dryRun: false })
  })

  test('revokes for good, with the reason', async () => {
    await lockdown({ organizationId: acme, reason: 'Leaked backup' })
    const key = (await t.ask(`/auth/keys/${keys.acme?.id}`, { headers: asMaster })).json
    expect(key).toMatchObject({
      status: 'revoked',
      revokedReason: 'Leaked backup',
      revokedAt: new Date(t.time.now).toISOString(),
    })
    expect((await t.ask('/key', { headers: keys.acme?.headers ?? {} })).said).toBe('401 api_key_revoked')
  })

  test('leaves the reason of what was revoked before', async () => {
    await t.core.keys.revoke(keys.acme?.id ?? '', { reason: 'first' })
    expect((await lockdown({ organizationId: acme, reason: 'second' })).json.count).toBe(1)
    expect((await t.core.keys.find(keys.acme?.id ?? '')).revokedReason).toBe('first')
  })

  test.each([
    ['nothing said', {}, ['body']],
    ['only a reason', { reason: 'x', dryRun: true }, ['body']],
    ['no body', undefined, ['body']],
    ['null', { organizationId: null }, ['organizationId']],
    ['an empty organization', { organizationId: '' }, ['organizationId']],
    ['a wildcard', { organizationId: '%' }, ['organizationId']],
    ['an injection', { userId: "' or 1=1 --" }, ['userId']],
    ['a list', { userId: ['user_a', 'user_b'] }, ['userId']],
    ['a moment in words', { createdBefore: 'yesterday' }, ['createdBefore']],
    ['a moment without a zone', { createdBefore: '2030-01-01T00:00:00' }, ['createdBefore']],
    ['a number', { createdBefore: START + DAY }, ['createdBefore']],
    ['text for a dry run', { createdBefore: at(100), dryRun: 'false' }, ['dryRun']],
    ['a reason of 501 characters', { createdBefore: at(100), reason: 'x'.repeat(501) }, ['reason']],
    ['a reason that forges a line', { createdBefore: at(100), reason: 'a\u001b[2J' }, ['reason']],
    ['another condition', { createdBefore: at(100), status: 'active' }, ['status']],
  ])('refuses %s, and revokes nothing', async (_, body, paths) => {
    expectInvalidAt(await lockdown(body), ...paths)
    expect(await working()).toEqual(ALL)
  })

  test('an organization’s administrator locks down his organization alone', async () => {
    const { headers } = await addTokens(t, alice)
    for (const body of [{ organizationId: rival }, { userId: bob }, { organizationId: acme, userId: bob }]) {
      for (const dryRun of [true, false]) expectProblem(await lockdown({ ...body, dryRun }, headers), 'not_found')
    }
    expect(await working()).toEqual(ALL)
    expect((await lockdown({ createdBefore: at(100), dryRun: true }, headers)).json.count).toBe(2)
    expect((await lockdown({ createdBefore: at(100) }, headers)).json.count).toBe(2)
    expect(await working()).toEqual(['rival', 'bob', 'nobody'])
  })

  test('keys that somebody left in an organization he is no longer of are its administrator’s to revoke', async () => {
    const { headers } = await addTokens(t, alice)
    const leaver = await t.core.users.create({ email: 'leaver@example.com', organizationId: acme })
    const left = await addKey(t, { userId: leaver.id })
    await t.core.users.update(leaver.id, { organizationId: rival })
    const counted = (await lockdown({ userId: leaver.id, dryRun: true }, headers)).json.count
    expect((await lockdown({ userId: leaver.id }, headers)).json).toEqual({ count: counted, dryRun: false })
    expect((await t.core.keys.find(left.id)).status).toBe('revoked')
  })

  test('a user without organization locks down his own keys alone', async () => {
    const loner = await t.core.users.create({ email: 'loner@example.com', roles: ['keeper'] })
    const own = await addKey(t, { userId: loner.id })
    const { headers } = await addTokens(t, loner.id)
    expectProblem(await lockdown({ organizationId: acme }, headers), 'not_found')
    expectProblem(await lockdown({ userId: bob }, headers), 'not_found')
    expect((await lockdown({ createdBefore: at(100) }, headers)).json.count).toBe(1)
    expect((await t.core.keys.find(own.id)).status).toBe('revoked')
    expect(await working()).toEqual(ALL)
  })

  test('asks for the permission to revoke', async () => {
    const { headers } = await addKey(t, { permissions: ['platform.admin', 'machine_auth.keys.update'] })
    const answer = await lockdown({ createdBefore: at(100), dryRun: true }, headers)
    expectProblem(answer, 'permission_required', ['required'])
    expect(answer.json.required).toEqual(['machine_auth.keys.delete'])
  })

  test('is in the audit log once, with its number; a dry run is not', async () => {
    await lockdown({ organizationId: acme, dryRun: true })
    await lockdown({ organizationId: acme, reason: 'Leaked backup' })
    const { items } = await t.core.audit.list({ action: 'keys.locked_down' })
    expect(items).toMatchObject([
      {
        actor: 'master',
        subject: acme,
        organizationId: acme,
        address: '127.0.0.1',
        details: { count: 2, reason: 'Leaked backup' },
      },
    ])
  })
})
