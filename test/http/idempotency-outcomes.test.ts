/** What becomes of an `Idempotency-Key` when a create, or the storage of its claim, fails. */
import { beforeEach, describe, expect, test } from 'bun:test'
import type { Principal } from '../../src/authentication/principal.ts'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { type ErrorCode, MachineAuthError } from '../../src/errors.ts'
import { createIdempotency } from '../../src/http/idempotency.ts'
import { codeOf } from '../contract/support.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'

const SECRETS = ['root-secret-of-these-tests-Xk3v9QpLx7Tn2RbW', 'older-secret-of-these-tests-8Hq2LmVs5Yc1DgXf']
const NOW = Date.UTC(2030, 0, 1)

const CLIENT: Principal = {
  kind: 'jwt',
  id: 'client_1',
  organizationId: null,
  user: null,
  granted: PermissionSet.ALL,
  bearerToken: {
    kind: 'jwt',
    id: null,
    userId: null,
    clientId: 'client_1',
    organizationId: null,
    permissions: ['*'],
    expiresAt: null,
    claims: {},
  },
}

interface Call {
  readonly body?: unknown
  readonly key?: string
  readonly method?: string
  readonly route?: string
  readonly params?: Readonly<Record<string, string>>
  readonly actor?: Principal
}

let memory = createMemoryStorage()
let warnings: string[] = []
let made = 0
beforeEach(() => {
  memory = createMemoryStorage(() => NOW)
  warnings = []
  made = 0
})

function start(secrets: readonly string[] = SECRETS) {
  const warn = (message: string) => warnings.push(message)
  const idempotent = createIdempotency({ store: memory.idempotency, clock: () => NOW, secrets, warn })
  /** Makes something numbered, with a secret. */
  return ({ body = null, key = 'one', method = 'POST', actor = CLIENT, ...place }: Call = {}, fail?: () => unknown) => {
    const request = new Request('http://localhost/auth/things', { method, headers: { 'idempotency-key': key } })
    const call = { request, route: '/auth/things', set: { headers: {} }, body, actor, ...place }
    return idempotent(call, async () => {
      if (fail !== undefined) throw fail()
      made += 1
      return { thing: { id: made }, rawKey: `secret-${made}` }
    }).then(({ response }) => response)
  }
}

/** What it answers: `made` with the secret, `told` without, or the code of the refusal. */
async function outcomeOf(answering: Promise<object>): Promise<string> {
  const answer = answering.then((given) => ('rawKey' in given ? 'made' : 'told'))
  return answer.catch(() => codeOf(answering))
}

const claims = () => [...memory.rows.idempotency.values()]
const refusing = (code: ErrorCode) => () => new MachineAuthError(code)
const unavailable = () => {
  throw new MachineAuthError('storage_unavailable')
}

describe('a create that fails', () => {
  test.each<[code: ErrorCode]>([
    ['validation_failed'],
    ['conflict'],
    ['permission_required'],
    ['not_found'],
    ['quota_exceeded'],
  ])('with %s made nothing: the next is a first one, also with another body', async (code) => {
    const create = start()
    expect(await outcomeOf(create({ body: { a: 1 } }, refusing(code)))).toBe(code)
    expect(claims()).toEqual([])
    expect(await outcomeOf(create({ body: { a: 2 } }))).toBe('made')
    expect(await outcomeOf(create({ body: { a: 2 } }))).toBe('told')
  })

  test.each<[name: string, fail: () => unknown]>([
    ['storage_unavailable', refusing('storage_unavailable')],
    ['internal_error', refusing('internal_error')],
    ['an error of a driver', () => new Error('connection lost')],
    ['what is no error', () => 'lost'],
  ])('with %s may have made something: no other is made', async (_, fail) => {
    const create = start()
    expect(await outcomeOf(create({}, fail))).not.toBe('made')
    expect(claims()).toMatchObject([{ key: 'one', answer: null, expiresAt: NOW + 86_400_000 }])
    expect(await outcomeOf(create())).toBe('conflict')
    expect(await outcomeOf(create({ body: {} }))).toBe('validation_failed')
    expect(await outcomeOf(create({ key: 'two' }))).toBe('made')
    expect(made).toBe(1)
  })

  test('passes on what was thrown, also when the claim cannot be released', async () => {
    const create = start()
    memory.before.set('idempotency.release', unavailable)
    const thrown = new MachineAuthError('conflict', { detail: 'name: another thing has this name.' })
    expect(await create({}, () => thrown).catch((error: unknown) => error)).toBe(thrown)
    expect(await outcomeOf(create())).toBe('conflict')
    expect(made).toBe(0)
  })
})

describe('a storage that fails', () => {
  test('before the claim lets nothing be made', async () => {
    const create = start()
    memory.before.set('idempotency.claim', unavailable)
    expect(await outcomeOf(create())).toBe('storage_unavailable')
    expect(made).toBe(0)
    expect(await outcomeOf(create())).toBe('made')
  })

  test('after it was made does not withhold the answer', async () => {
    const create = start()
    memory.before.set('idempotency.complete', unavailable)
    expect(await create()).toEqual({ thing: { id: 1 }, rawKey: 'secret-1' })
    expect(await outcomeOf(create())).toBe('conflict')
    expect([made, warnings.length]).toEqual([1, 1])
    expect(warnings.join()).not.toContain('secret-1')
  })
})

describe('what is the same request', () => {
  const lower: Call = { body: { name: 'x' }, params: { id: 'key_1' }, route: '/auth/things/:id/rotate' }
  const withOrganization = (organizationId: string | null): Principal => ({ ...CLIENT, organizationId })

  test.each<[name: string, other: Call]>([
    ['key', { ...lower, key: 'two' }],
    ['method', { ...lower, method: 'PUT' }],
    ['route', { ...lower, route: '/auth/things/:id' }],
    ['parameter', { ...lower, params: { id: 'key_2' } }],
    ['principal', { ...lower, actor: { ...CLIENT, id: 'client_2' } }],
    ['organization', { ...lower, actor: withOrganization('org_1') }],
  ])('another %s makes another', async (_, other) => {
    const create = start()
    for (const call of [lower, other]) expect(await outcomeOf(create(call))).toBe('made')
    for (const call of [lower, other]) expect(await outcomeOf(create(call))).toBe('told')
    expect(await create(lower)).toEqual({ thing: { id: 1 } })
    expect(await create(other)).toEqual({ thing: { id: 2 } })
  })

  test.each<[name: string, body: unknown, other: unknown]>([
    ['no body and an empty one', null, {}],
    ['members in and beside an object', { a: { b: 1 } }, { a: {}, b: 1 }],
    ['a list and an object', { a: ['x'] }, { a: { 0: 'x' } }],
    ['null and nothing', { a: null }, {}],
  ])('tells %s apart', async (_, body, other) => {
    const create = start()
    expect(await outcomeOf(create({ body }))).toBe('made')
    expect(await outcomeOf(create({ body: other }))).toBe('validation_failed')
    expect(await outcomeOf(create({ body }))).toBe('told')
  })

  test('is told by the secret that was given then, and else refused', async () => {
    const [newest = '', older = ''] = SECRETS
    expect(await outcomeOf(start([older])())).toBe('made')
    expect(await outcomeOf(start([newest, older])())).toBe('told')
    expect(await outcomeOf(start([newest])())).toBe('validation_failed')
    expect(made).toBe(1)
  })
})

test('what is stored holds neither the secret nor the password, nor a hash of it that could be tried', async () => {
  const body = { email: 'a@example.com', password: 'correct horse battery' }
  await start()({ body })
  await start(['another-root-secret-of-these-tests-Yc1DgXf'])({ body, key: 'two' })
  const text = JSON.stringify(claims())
  for (const secret of [body.password, body.email, 'secret-1', 'secret-2', 'rawKey', ...SECRETS]) {
    expect(text).not.toContain(secret)
  }
  const [one, other] = claims()
  expect(one?.fingerprint).toMatch(/^[0-9a-f]{16}\.[\w-]{43}$/)
  expect(other?.fingerprint.split('.')[1]).not.toBe(one?.fingerprint.split('.')[1] ?? '')
})
