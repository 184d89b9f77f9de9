/** `/audit`: who may read which events, what they tell, and the verification. Tampering is in test/security/audit.test.ts. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { MachineAuthError } from '../../src/errors.ts'
import { expectInvalidAt, expectProblem, listAt, membersOf, objectAt, TIMESTAMP, textAt } from '../support/answers.ts'
import { expectRefused } from '../support/refusals.ts'
import { addKey, addTokens, asMaster, createTestApp, START } from '../support/test-app.ts'

type Headers = Readonly<Record<string, string>>

const AUDIT_VIEW = [
  'action',
  'actor',
  'address',
  'at',
  'details',
  'id',
  'organizationId',
  'requestId',
  'sequence',
  'subject',
]

const t = await createTestApp()
afterAll(t.close)

const acme = await t.core.organizations.create({ name: 'Acme' })
const other = await t.core.organizations.create({ name: 'Other' })
const user = (name: string, roles: readonly string[], organizationId: string | null) =>
  t.core.users.create({ email: `${name}@example.com`, roles, organizationId })
const [chief, boss, loner, reader] = [
  await user('chief', ['admin'], null),
  await user('boss', ['admin'], acme.id),
  await user('loner', ['keeper'], null),
  await user('reader', ['user'], acme.id),
]
const headersOf = async ({ id }: { readonly id: string }) => (await addTokens(t, id)).headers
const list = (query = '', headers: Headers = asMaster) => t.ask(`/auth/audit${query}`, { headers })
const itemsOf = async (query = '', headers: Headers = asMaster) => listAt((await list(query, headers)).json, 'items')

describe('GET /audit', () => {
  test('answers who did what to what, from where, when and by which request', async () => {
    t.time.now = START + 1000
    const headers = { ...(await headersOf(boss)), 'x-request-id': 'request-of-boss' }
    const created = await t.ask('/auth/keys', { headers, body: { name: 'CI' } })
    const subject = textAt(objectAt(created.json, 'key'), 'id')
    const [event] = await itemsOf(`?subject=${subject}`)
    expect(membersOf(event)).toEqual(AUDIT_VIEW)
    expect(event).toMatchObject({
      id: expect.stringMatching(/^evt_[0-9A-Za-z]{16}$/),
      at: expect.stringMatching(TIMESTAMP),
      sequence: expect.any(Number),
      action: 'key.created',
      actor: boss.id,
      subject,
      organizationId: acme.id,
      address: '127.0.0.1',
      requestId: 'request-of-boss',
    })
  })

  test('what code did has no address', async () => {
    const { id } = await addKey(t)
    const [event] = await itemsOf(`?subject=${id}`)
    expect(event).toMatchObject({ actor: 'system', address: null, requestId: null, organizationId: null })
  })

  test('a denied attempt on another organization’s thing is an event of who tried', async () => {
    const foreign = await addKey(t, { organizationId: other.id })
    const headers = { ...(await headersOf(boss)), 'x-request-id': 'request-of-spy' }
    expectProblem(await t.ask(`/auth/keys/${foreign.id}`, { headers }), 'not_found')
    const [attempt] = await itemsOf('?action=cross_tenant_attempt', await headersOf(boss))
    expect(attempt).toMatchObject({
      actor: boss.id,
      subject: foreign.id,
      organizationId: acme.id,
      address: '127.0.0.1',
      requestId: 'request-of-spy',
    })
  })

  test('an organization reads its own events, and nobody else’s', async () => {
    await addKey(t, { organizationId: acme.id })
    await addKey(t, { organizationId: other.id })
    const headers = await headersOf(boss)
    for (const query of ['', `?organizationId=${acme.id}`]) {
      const organizations = new Set((await itemsOf(query, headers)).map(({ organizationId }) => organizationId))
      expect(organizations).toEqual(new Set([acme.id]))
    }
    expectProblem(await list(`?organizationId=${other.id}`, headers), 'not_found')
    // Of the other he finds what he tried himself.
    const ofOther = await itemsOf(`?subject=${other.id}`, headers)
    expect(ofOther.map(({ action }) => action)).toEqual(['cross_tenant_attempt'])
  })

  test('who has no organization reads what he did himself', async () => {
    const headers = await headersOf(loner)
    const key = await t.ask('/auth/keys', { headers, body: { name: 'own', userId: loner.id } })
    expect(key.status).toBe(201)
    expect(new Set((await itemsOf('', headers)).map(({ actor }) => actor))).toEqual(new Set([loner.id]))
    expectProblem(await list(`?actor=${boss.id}`, headers), 'not_found')
  })

  test('newest first, in pages, by time', async () => {
    t.time.now = START + 3_600_000
    for (const name of ['a', 'b', 'c']) {
      t.time.now += 1000
      await t.core.roles.put(`paged-${name}`, { permissions: [] })
    }
    const from = `from=${new Date(START + 3_600_000).toISOString()}`
    const first = await list(`?action=role.put&${from}&limit=2`)
    expect(listAt(first.json, 'items').map(({ subject }) => subject)).toEqual(['paged-c', 'paged-b'])
    const next = await itemsOf(`?action=role.put&${from}&limit=2&cursor=${textAt(first.json, 'nextCursor')}`)
    expect(next.map(({ subject }) => subject)).toEqual(['paged-a'])
    const until = `to=${new Date(START + 3_602_000).toISOString()}`
    expect((await itemsOf(`?action=role.put&${from}&${until}`)).map(({ subject }) => subject)).toEqual(['paged-a'])
  })

  test.each([
    ['?from=yesterday', 'from'],
    ['?to=2030-01-01', 'to'],
    ['?limit=0', 'limit'],
    ['?cursor=x', 'cursor'],
    ['?organisation=x', 'organisation'],
    ['?actor=a%20b', 'actor'],
    [`?subject=${'x'.repeat(129)}`, 'subject'],
  ])('refuses %s', async (query, path) => {
    expectInvalidAt(await list(query), path)
  })

  test('needs its permission', async () => {
    expectProblem(await list('', {}), 'credential_missing')
    expectProblem(await list('', await headersOf(reader)), 'permission_required', ['required'])
    const key = await addKey(t, { permissions: ['machine_auth.audit.view'] })
    expect((await list('', key.headers)).status).toBe(200)
  })

  test('cannot be written to', async () => {
    const [event] = await itemsOf()
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const path of ['/auth/audit', `/auth/audit/${textAt(event ?? {}, 'id')}`]) {
        expect((await t.ask(path, { method, headers: asMaster })).status).toBe(404)
      }
    }
  })
})

describe('GET /audit/verify', () => {
  const verify = (query = '', headers: Headers = asMaster) => t.ask(`/auth/audit/verify${query}`, { headers })

  test.each([
    ['the master key', async () => asMaster],
    ['an administrator', () => headersOf(chief)],
  ])('%s learns that the log is right, and how far it goes', async (_, who) => {
    await addKey(t)
    const answer = await verify('', await who())
    expect(answer.status).toBe(200)
    const checked = Number(answer.json.checked)
    expect(answer.json).toEqual({
      ok: true,
      checked,
      unverifiable: 0,
      head: { sequence: checked, at: expect.stringMatching(TIMESTAMP) },
      checkpoint: null,
      problems: [],
      problemCount: 0,
    })
    const beyond = await verify(`?atLeast=${checked + 1}`)
    expect(beyond.json).toMatchObject({ ok: false, problems: [{ kind: 'head', sequence: checked }] })
    expect((await verify(`?atLeast=${checked}`)).json.ok).toBeTrue()
  })

  test('tells what was changed', async () => {
    const { id } = await addKey(t)
    await t.core.audit.seal()
    t.client.run("update machine_auth_audit set actor = 'user_9' where subject = ?", [id])
    const { ok, problems } = (await verify()).json
    expect([ok, problems]).toEqual([
      false,
      [{ kind: 'changed', sequence: expect.any(Number), id: expect.any(String), detail: expect.any(String) }],
    ])
  })

  test('accepts so many events of a lost secret as one says', async () => {
    const answer = await verify('?unverifiable=1')
    expect(answer.json.problems).toContainEqual({ kind: 'unverifiable', detail: expect.any(String) })
  })

  test('is given up when who asked is gone', async () => {
    const [begun, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()]
    const spy = spyOn(t.core.audit, 'verify').mockImplementation(({ signal } = {}) => {
      signal?.addEventListener('abort', () => gone.reject(new MachineAuthError('request_malformed')))
      begun.resolve()
      return gone.promise
    })
    const controller = new AbortController()
    const asked = fetch(`${t.origin}/auth/audit/verify`, { headers: asMaster, signal: controller.signal })
    await begun.promise
    controller.abort()
    await expect(asked).rejects.toThrow()
    await expectRefused(gone.promise, 'request_malformed')
    spy.mockRestore()
  })

  test('needs platform reach', async () => {
    expectProblem(await verify('', {}), 'credential_missing')
    for (const who of [boss, loner]) {
      expectProblem(await verify('', await headersOf(who)), 'permission_required', ['required'])
    }
  })

  test.each([
    ['?atLeast=-1', 'atLeast'],
    ['?atLeast=x', 'atLeast'],
    ['?unverifiable=-1', 'unverifiable'],
    ['?since=1', 'since'],
  ])('refuses %s', async (query, path) => {
    expectInvalidAt(await verify(query), path)
  })
})
