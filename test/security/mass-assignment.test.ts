/** SECURITY.md, P66: members that decide what a request may not decide, at every endpoint that takes a body. */
import { afterAll, describe, expect, test } from 'bun:test'
import type { OpenApiDocument } from '../../src/docs/openapi.ts'
import { expectInvalidAt } from '../support/answers.ts'
import { ENDPOINTS, type Endpoint, methodOf, pathOf, SENSITIVE } from '../support/endpoints.ts'
import { addTenant, createTenantApp, routesUnderPrefix, storedIn } from '../support/tenants.ts'
import { asMaster, type Json } from '../support/test-app.ts'

const t = await createTenantApp()
afterAll(t.close)
const acme = await addTenant(t)
const document = (await t.ask('/swagger/json')).json as unknown as OpenApiDocument

const VALUES: Readonly<Record<string, unknown>> = {
  status: 'active',
  enabled: true,
  isAdmin: true,
  permissions: ['*'],
  roles: ['admin'],
  role: 'admin',
  createdAt: '2000-01-01T00:00:00Z',
  revokedAt: null,
  tokensNotBefore: 0,
  keyCount: 0,
  actor: { id: 'system' },
}
const sampleOf = (member: string) => (member in VALUES ? VALUES[member] : 'x')

/** Names that reach a prototype, and one that Elysia trips over: the body is refused as a whole. */
const UNSAFE = ['__proto__', 'constructor', 'prototype', 'toString']

const WITH_BODY = ENDPOINTS.filter(({ body }) => body !== undefined)
const LISTS = ENDPOINTS.filter(({ list }) => list !== undefined)
const rows = WITH_BODY.map((endpoint) => [endpoint.route, endpoint] as const)

const send = (endpoint: Endpoint, body: unknown) =>
  t.ask(pathOf(endpoint, acme), { method: methodOf(endpoint), headers: asMaster, body })
const sendText = (endpoint: Endpoint, raw: string) =>
  t.ask(pathOf(endpoint, acme), { method: methodOf(endpoint), headers: asMaster, raw })

/** The object at a path of members. */
function placedAt(path: string, body: Json, value: Json): Json {
  const [first = '', ...rest] = path.split('.')
  const inner = body[first] as Json
  return { ...body, [first]: rest.length === 0 ? { ...inner, ...value } : placedAt(rest.join('.'), inner, value) }
}

async function expectNothingMade(work: () => Promise<void>): Promise<void> {
  const before = storedIn(t)
  await work()
  expect(storedIn(t)).toEqual(before)
}

/** As the documentation writes paths. */
const operationOf = ({ route }: Endpoint) =>
  document.paths[`/auth${route.slice(route.indexOf('/')).replace(/:(\w+)/, '{$1}')}`]?.[
    methodOf({ route }).toLowerCase()
  ]

/** The schema of its body, without the null of one that may be absent. */
function membersOf(endpoint: Endpoint): Readonly<Record<string, Json>> {
  const schema = operationOf(endpoint)?.requestBody?.content?.['application/json']?.schema as Json
  const [variant = schema] = (schema.anyOf as readonly Json[] | undefined) ?? []
  return variant.properties as Readonly<Record<string, Json>>
}

describe('the table', () => {
  test('has a body for every endpoint that takes one', () => {
    const mounted = routesUnderPrefix(t).filter(({ route }) => /^(POST|PUT|PATCH) /.test(route))
    expect(mounted.map(({ route }) => route).sort()).toEqual([...WITH_BODY, ...LISTS].map(({ route }) => route).sort())
  })

  test.each(rows)('says of %s which sensitive members it takes, and where there are objects in it', (_, endpoint) => {
    const members = membersOf(endpoint)
    const sensitive = Object.keys(members).filter((member) => SENSITIVE.some((name) => name === member))
    expect(sensitive.sort()).toEqual([...(endpoint.takes ?? [])].sort())
    const objects = Object.entries(members).filter(([, schema]) => {
      const variants = [schema, ...((schema.anyOf as readonly Json[] | undefined) ?? [])]
      return variants.some(({ properties }) => properties !== undefined)
    })
    const nested = Object.keys(endpoint.nested ?? {}).filter((path) => !path.includes('.'))
    expect(objects.map(([member]) => member).sort()).toEqual(nested.sort())
  })
})

describe.each(rows)('%s', (_, endpoint) => {
  const { takes = [], nested = {} } = endpoint
  const valid = () => endpoint.body?.() ?? {}

  test('refuses each sensitive member by its name, and makes nothing', async () => {
    await expectNothingMade(async () => {
      for (const member of SENSITIVE.filter((name) => !takes.includes(name))) {
        expectInvalidAt(await send(endpoint, { ...valid(), [member]: sampleOf(member) }), member)
      }
    })
  })

  test('refuses it also where it is null, or written otherwise', async () => {
    await expectNothingMade(async () => {
      for (const member of ['id', 'hash', 'organization_id', 'Organizationid', 'organizationId ', 'is_admin']) {
        expectInvalidAt(await send(endpoint, { ...valid(), [member]: null }), member)
      }
    })
  })

  test('refuses all at once', async () => {
    await expectNothingMade(async () => {
      const body = Object.fromEntries(SENSITIVE.map((member) => [member, sampleOf(member)]))
      expect((await send(endpoint, { ...body, ...valid() })).said).toBe('422 validation_failed')
    })
  })

  test.each(UNSAFE)('refuses %s, at the top and below', async (member) => {
    await expectNothingMade(async () => {
      const text = JSON.stringify(valid())
      const hostile = `"${member}":{"isAdmin":true}`
      const open = text === '{}' ? `{${hostile}}` : `{${hostile},${text.slice(1)}`
      expectInvalidAt(await sendText(endpoint, open), 'body')
      expectInvalidAt(
        await sendText(endpoint, `${text.slice(0, -1)}${text === '{}' ? '' : ','}"x":{${hostile}}}`),
        'body',
      )
    })
    expect(Reflect.get({}, 'isAdmin')).toBeUndefined()
  })

  for (const [path, members] of Object.entries(nested)) {
    test(`refuses them in ${path}`, async () => {
      await expectNothingMade(async () => {
        for (const member of [...SENSITIVE, 'used', 'unlimited']) {
          const body = placedAt(path, { ...valid(), ...members }, { [member]: sampleOf(member) })
          expectInvalidAt(await send(endpoint, body), `${path}.${member}`)
        }
      })
    })

    test(`takes ${path} without them`, async () => {
      const fresh = await addTenant(t)
      const answer = await t.ask(pathOf(endpoint, fresh), {
        method: methodOf(endpoint),
        headers: asMaster,
        body: { ...valid(), ...members },
      })
      expect(answer.said).toMatch(/^20[01]$/)
    })
  }

  test('takes its body as it is, and in nothing else', async () => {
    await expectNothingMade(async () => {
      for (const body of [[valid()], { body: valid() }, { data: valid() }]) {
        expect((await send(endpoint, body)).said).toBe('422 validation_failed')
      }
    })
  })
})

describe.each(LISTS.map((endpoint) => [endpoint.route, endpoint] as const))('%s', (_, endpoint) => {
  const { takes = [] } = endpoint
  const entries = () => endpoint.list?.(acme) ?? []

  test('rejects an entry with a sensitive member alone, by the name of it', async () => {
    for (const member of SENSITIVE.filter((name) => !takes.includes(name))) {
      const [entry] = entries()
      const answer = await send(endpoint, [{ ...entry, [member]: sampleOf(member) }, ...entries()])
      const rejected = [{ index: 0, reason: `${member} is no member of a use.` }]
      expect([answer.status, answer.json]).toEqual([202, { accepted: 1, duplicates: 0, rejected }])
    }
  })

  test.each(UNSAFE)('refuses %s, in an entry and below', async (member) => {
    await expectNothingMade(async () => {
      const hostile = `"${member}":{"isAdmin":true}`
      for (const text of [`[{${hostile}}]`, `[{"x":[{${hostile}}]}]`]) {
        expectInvalidAt(await sendText(endpoint, text), 'body')
      }
    })
    expect(Reflect.get({}, 'isAdmin')).toBeUndefined()
  })

  test('takes its list as it is, and in nothing else', async () => {
    await expectNothingMade(async () => {
      for (const body of [entries()[0], { body: entries() }, { data: entries() }]) {
        expectInvalidAt(await send(endpoint, body), 'body')
      }
    })
  })
})

describe('what only seems to be taken', () => {
  test('a changed key keeps all that was not named', async () => {
    const fresh = await addTenant(t)
    const before = await t.core.keys.find(fresh.keyId)
    await t.ask(`/auth/keys/${fresh.keyId}`, { method: 'PATCH', headers: asMaster, body: { name: 'renamed' } })
    expect(await t.core.keys.find(fresh.keyId)).toEqual({ ...before, name: 'renamed' })
  })

  test('a changed user and organization keep all that was not named', async () => {
    const fresh = await addTenant(t)
    const rowsOf = () => {
      const { machine_auth_users: users = [], machine_auth_organizations: organizations = [] } = storedIn(t)
      const own = (rows: readonly unknown[], id: string) => rows.find((row) => (row as Json).id === id) as Json
      return [own(users, fresh.userId), own(organizations, fresh.organizationId)] as const
    }
    const [user, organization] = rowsOf()
    const change = (path: string, body: Json) => t.ask(`/auth/${path}`, { method: 'PATCH', headers: asMaster, body })
    const email = `renamed@${fresh.role}.example`
    await change(`users/${fresh.userId}`, { email })
    await change(`organizations/${fresh.organizationId}`, { name: `${fresh.role} renamed` })
    expect(rowsOf()).toEqual([
      { ...user, email },
      { ...organization, name: `${fresh.role} renamed` },
    ])
  })

  test('a body that names the maker is refused, and the credential names him', async () => {
    const fresh = await addTenant(t)
    const { id, headers } = fresh.callers.keeper
    const claims = { 'x-user-id': 'system', 'x-actor': 'system', 'x-organization-id': acme.organizationId }
    const made = await t.ask('/auth/keys', { headers: { ...headers, ...claims }, body: { name: 'made' } })
    const { items } = await t.core.audit.list({ action: 'key.created', actor: id })
    expect(items).toMatchObject([{ subject: (made.json.key as Json).id, organizationId: fresh.organizationId }])
  })
})
