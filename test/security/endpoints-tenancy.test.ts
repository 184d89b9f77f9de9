/** SECURITY.md, authorisation: every endpoint, tried with the ids of another organization. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectProblem, listAt } from '../support/answers.ts'
import {
  bodyOf,
  ENDPOINTS,
  type Endpoint,
  type Ids,
  idInPath,
  methodOf,
  type Naming,
  pathOf,
} from '../support/endpoints.ts'
import {
  addTenant,
  CALLERS,
  type Caller,
  createTenantApp,
  GHOST,
  routesUnderPrefix,
  storedIn,
} from '../support/tenants.ts'
import { type Answer, addSession, addTokens, asMaster } from '../support/test-app.ts'

const t = await createTenantApp()
afterAll(t.close)

const nameOf = ({ route }: Endpoint) => route
const rows = (endpoints: readonly Endpoint[]) => endpoints.map((each) => [nameOf(each), each] as const)

/** The answer without what differs on every request. */
const shape = ({ status, json, headers }: Answer) =>
  JSON.stringify([status, { ...json, requestId: '' }, [...headers.keys()].sort()])

function ask(endpoint: Endpoint, { headers }: Pick<Caller, 'headers'>, at: Ids, { query, body }: Naming = {}) {
  const path = pathOf(endpoint, at) + (query === undefined ? '' : `?${query}`)
  return t.ask(path, { method: methodOf(endpoint), headers, body: body ?? bodyOf(endpoint, at) })
}

/** Each way to name somebody's things in a request of one's own. */
function attemptsOf(endpoint: Endpoint): readonly ((caller: Caller, own: Ids, theirs: Ids) => Promise<Answer>)[] {
  const inPath = idInPath(endpoint, GHOST) === null ? [] : [(by: Caller, _: Ids, of: Ids) => ask(endpoint, by, of)]
  const elsewhere = (endpoint.names ?? []).map(
    (naming) => (by: Caller, own: Ids, of: Ids) => ask(endpoint, by, own, naming(of)),
  )
  return [...inPath, ...elsewhere]
}

const eventsBy = async ({ id }: Caller) =>
  (await t.core.audit.list({ action: 'cross_tenant_attempt', actor: id }, { limit: 100 })).items

test('every endpoint that is mounted is in the table, with its permission', () => {
  const mounted = routesUnderPrefix(t).map(({ route, guards }) => {
    const management = guards.find(({ name }) => name === 'management')
    return `${route} ${management?.value ?? ''}`.trim()
  })
  expect(mounted.sort()).toEqual(ENDPOINTS.map(({ route, permission = '' }) => `${route} ${permission}`.trim()).sort())
})

test('what needs no permission of ours is the caller’s own, the master key’s, or open', () => {
  const guardsByRoute = Object.fromEntries(routesUnderPrefix(t).map(({ route, guards }) => [route, guards]))
  const guardOf = ({ route }: Endpoint) => guardsByRoute[route]?.map(({ name }) => name).join() ?? ''
  const expected = { own: /^(currentPrincipal|currentUser|session)$/, master: /^masterKey$/, public: /^$/ }
  for (const endpoint of ENDPOINTS) {
    const pattern =
      endpoint.permission === undefined ? expected[endpoint.reach as keyof typeof expected] : /^management$/
    expect([endpoint.route, guardOf(endpoint)]).toEqual([endpoint.route, expect.stringMatching(pattern)])
  }
})

const TENANT = ENDPOINTS.filter(({ reach }) => reach === 'tenant')
const NAMING = TENANT.filter((endpoint) => attemptsOf(endpoint).length > 0)

describe('an id of another organization', () => {
  test.each(rows(NAMING))(
    '%s answers as if it were not there, changes nothing, and is written down',
    async (_, endpoint) => {
      for (const name of CALLERS) {
        const [own, theirs] = [await addTenant(t), await addTenant(t)]
        const caller = own.callers[name]
        for (const attempt of attemptsOf(endpoint)) {
          // Within a minute they would be counted together.
          t.time.now += 60_000
          const [stored, written] = [storedIn(t), await eventsBy(caller)]
          const answer = await attempt(caller, own, theirs)
          expectProblem(answer, 'not_found')
          expect(storedIn(t)).toEqual(stored)
          const seen = new Set(written.map(({ id }) => id))
          const [event, ...more] = (await eventsBy(caller)).filter(({ id }) => !seen.has(id))
          expect(more).toEqual([])
          expect(event).toMatchObject({
            action: 'cross_tenant_attempt',
            actor: caller.id,
            organizationId: own.organizationId,
            address: '127.0.0.1',
            requestId: answer.json.requestId,
          })
          expect(Object.values(theirs)).toContain(event?.subject)
          expect(shape(await attempt(caller, own, GHOST))).toBe(shape(answer))
        }
      }
    },
  )

  test.each(rows(NAMING))('%s works with one’s own', async (_, endpoint) => {
    for (const [index] of attemptsOf(endpoint).entries()) {
      for (const name of ['keeper', 'almightyKey'] as const) {
        const own = await addTenant(t)
        const answer = await attemptsOf(endpoint)[index]?.(own.callers[name], own, own)
        expect(answer?.said).toMatch(/^20[0124]$/)
        expect(await eventsBy(own.callers[name])).toEqual([])
      }
    }
  })

  const ASKING = ENDPOINTS.filter(({ asks }) => asks !== undefined)
  test.each(rows(ASKING))('%s finds nothing by it, and says the same of what does not exist', async (_, endpoint) => {
    for (const name of CALLERS) {
      const [own, theirs] = [await addTenant(t), await addTenant(t)]
      for (const asked of endpoint.asks ?? []) {
        const stored = storedIn(t)
        const answer = await ask(endpoint, own.callers[name], own, asked(theirs))
        expect(answer.said).toMatch(/^20[02]$/)
        expect(shape(answer)).toBe(shape(await ask(endpoint, own.callers[name], own, asked(GHOST))))
        expect(storedIn(t)).toEqual(stored)
        expect(shape(await ask(endpoint, own.callers[name], own, asked(own)))).not.toBe(
          shape(await ask(endpoint, own.callers[name], own, asked(GHOST))),
        )
      }
    }
  })
})

describe('a list', () => {
  const LISTS = TENANT.filter(({ route }) => /^GET \/\w+$/.test(route) && route !== 'GET /permissions')

  test.each(rows(LISTS))('%s shows nothing of another organization, whatever the cursor', async (_, endpoint) => {
    const [own, theirs] = [await addTenant(t), await addTenant(t)]
    await t.ask(`/auth/keys/${theirs.keyId}`, { headers: theirs.callers.keeper.headers, method: 'PATCH', body: {} })
    // For the request log.
    await t.ask('/auth/me', { headers: own.callers.keeper.headers })
    const all = await t.ask(`/auth${endpoint.route.slice('GET '.length)}?limit=1`, { headers: asMaster })
    expect(all.json.nextCursor).toBeString()
    for (const name of CALLERS) {
      for (const query of ['limit=100', `limit=100&cursor=${all.json.nextCursor}`]) {
        const items = listAt((await ask(endpoint, own.callers[name], own, { query })).json, 'items')
        const mine = items.filter((item) => [item.organizationId, item.id].includes(own.organizationId))
        expect(items).toEqual([...mine])
        if (query === 'limit=100') expect(items).not.toEqual([])
      }
    }
  })
})

describe('the platform’s', () => {
  test.each(rows(ENDPOINTS.filter(({ reach }) => reach === 'platform')))(
    '%s is refused to an organization’s administrators, whatever they may do there',
    async (_, endpoint) => {
      const [own, theirs] = [await addTenant(t), await addTenant(t)]
      for (const name of CALLERS) {
        for (const ids of [own, theirs, GHOST]) {
          const stored = storedIn(t)
          const answer = await ask(endpoint, own.callers[name], ids)
          expectProblem(answer, 'permission_required', ['required'])
          expect(answer.json.required).toEqual(['platform.admin'])
          expect(storedIn(t)).toEqual(stored)
        }
      }
      expect((await ask(endpoint, { headers: asMaster }, own)).said).toMatch(/^20[0124]$/)
    },
  )

  test('limits of an organization are not raised by itself, nor anything that comes with them', async () => {
    const own = await addTenant(t)
    const limits = [
      { monthlyQuota: null },
      { rateLimit: { limit: 1_000, window: '1s' } },
      { maxPermissions: null },
      { maxKeyLifetime: null },
    ]
    for (const name of CALLERS) {
      for (const limit of limits) {
        const stored = storedIn(t)
        const body = { name: 'and a name', ...limit }
        const path = `/auth/organizations/${own.organizationId}`
        const answer = await t.ask(path, { method: 'PATCH', headers: own.callers[name].headers, body })
        expectProblem(answer, 'permission_required', ['required'])
        expect(storedIn(t)).toEqual(stored)
      }
    }
  })

  test.each(CALLERS)('leave from an organization is not to be had by %s', async (name) => {
    const own = await addTenant(t)
    const path = `/auth/users/${own.userId}`
    const body = { organizationId: null }
    const answer = await t.ask(path, { method: 'PATCH', headers: own.callers[name].headers, body })
    expectProblem(answer, 'permission_required', ['required'])
    expect((await t.core.users.find(own.userId)).organizationId).toBe(own.organizationId)
  })

  test.each(CALLERS)('client tokens are not made by %s', async (name) => {
    const own = await addTenant(t)
    const stored = storedIn(t)
    const answer = await t.ask('/auth/token/new', { headers: own.callers[name].headers, body: {} })
    expect(answer.status).toBe(401)
    expect(storedIn(t)).toEqual(stored)
  })
})

describe('one’s own', () => {
  test('sessions: another’s is not there, in the organization or outside of it', async () => {
    const [own, theirs] = [await addTenant(t), await addTenant(t)]
    const ways = [
      (await addTokens(t, own.callers.administrator.id)).headers,
      (await addSession(t, own.callers.administrator.id)).headers,
    ]
    for (const headers of ways) {
      for (const id of [theirs.sessionId, own.sessionId]) {
        // Within a minute they would be counted together.
        t.time.now += 60_000
        const stored = storedIn(t)
        const answer = await t.ask(`/auth/sessions/${id}`, { method: 'DELETE', headers })
        expectProblem(answer, 'not_found')
        const events = await eventsBy(own.callers.administrator)
        expect(events.filter(({ requestId }) => requestId === answer.json.requestId)).toMatchObject([
          { subject: id, organizationId: own.organizationId, address: '127.0.0.1' },
        ])
        const ghost = await t.ask(`/auth/sessions/${GHOST.sessionId}`, { method: 'DELETE', headers })
        expect(shape(answer)).toBe(shape(ghost))
        expect(storedIn(t)).toEqual(stored)
      }
      const { json } = await t.ask('/auth/sessions', { headers })
      expect(listAt(json, 'items').filter(({ userId }) => userId !== own.callers.administrator.id)).toEqual([])
    }
  })

  test.each(CALLERS)('%s is told of himself alone', async (name) => {
    const own = await addTenant(t)
    const { json } = await t.ask('/auth/me', { headers: own.callers[name].headers })
    expect(json.principal).toMatchObject({ id: own.callers[name].id, organizationId: own.organizationId })
  })

  test('the end of a session is written down for his organization, with whence it was ended', async () => {
    const own = await addTenant(t)
    const { headers } = await addTokens(t, own.userId)
    await t.ask(`/auth/sessions/${own.sessionId}`, {
      method: 'DELETE',
      headers: { ...headers, 'x-request-id': 'end-of-a-session' },
    })
    const seen = await t.ask(`/auth/audit?subject=${own.sessionId}`, { headers: own.callers.keeper.headers })
    expect(listAt(seen.json, 'items')).toMatchObject([
      { action: 'session.ended', actor: own.userId, address: '127.0.0.1', requestId: 'end-of-a-session' },
    ])
  })
})

describe('who acts', () => {
  test('is said by the credential alone', async () => {
    const [own, theirs] = [await addTenant(t), await addTenant(t)]
    const { id, headers } = own.callers.keeper
    const claims = {
      'x-user-id': theirs.callers.administrator.id,
      'x-organization-id': theirs.organizationId,
      'x-actor': 'system',
      'x-forwarded-user': theirs.callers.administrator.id,
      'x-forwarded-for': '203.0.113.9',
    }
    const made = await t.ask('/auth/users', {
      headers: { ...headers, ...claims, 'x-request-id': `${own.organizationId}.claims` },
      body: { email: `claimed@${own.organizationId.toLowerCase().replaceAll('_', '-')}.example` },
    })
    expect(made.json).toMatchObject({ organizationId: own.organizationId })
    const { items } = await t.core.audit.list({ subject: String(made.json.id) })
    expect(items).toMatchObject([
      {
        actor: id,
        organizationId: own.organizationId,
        address: '127.0.0.1',
        requestId: `${own.organizationId}.claims`,
      },
    ])
    expectProblem(await t.ask(`/auth/keys/${theirs.keyId}`, { headers: { ...headers, ...claims } }), 'not_found')
  })
})
