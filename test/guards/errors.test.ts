/** What the app hears of errors, what the caller hears, and what the log says: with the plugin as it is shipped. */
import { describe, expect, test } from 'bun:test'
import { tmpdir } from 'node:os'
import { Elysia, NotFoundError, status, t } from 'elysia'
import { createMachineAuth, MachineAuthError, type MachineAuthOptions, machineAuth } from '../../src/index.ts'
import { SECRET } from '../support/test-app.ts'
import { type Answer, expectRefusal, handle, summary, withLog } from './support.ts'

type Handler = () => unknown
type App = { handle: (request: Request) => Promise<Response> }

async function withPlugin<T>(
  options: MachineAuthOptions,
  use: (plugin: ReturnType<typeof machineAuth<string, object>>) => Promise<T>,
): Promise<T> {
  await using core = createMachineAuth<string, object>(
    { database: 'sqlite::memory:', secret: SECRET, docs: false, management: false, tokens: false, ...options },
    { env: {}, cwd: tmpdir(), warn: () => undefined },
  )
  await core.ready
  return use(machineAuth(core))
}

const ID = { 'x-request-id': 'request-of-mine' }

function fail(error: unknown): never {
  throw error
}

describe('an app’s own onError', () => {
  const heard: unknown[] = []
  const listener = ({ error }: { error: unknown }) => {
    heard.push(error instanceof MachineAuthError ? error.code : error)
    if (error instanceof MachineAuthError && error.code === 'credential_missing') {
      return new Response(`mine: ${error.status} ${error.requestId}`, { status: 418 })
    }
    return undefined
  }
  const open = () => 'open'

  const PLACES: Readonly<Record<string, Parameters<typeof withPlugin<App>>[1]>> = {
    'before the plugin': async (plugin) =>
      new Elysia().onError(listener).use(plugin).get('/x', open, { apiKey: true }).get('/y', open, { masterKey: true }),
    'after the plugin': async (plugin) =>
      new Elysia().use(plugin).onError(listener).get('/x', open, { apiKey: true }).get('/y', open, { masterKey: true }),
    'after the routes': async (plugin) =>
      new Elysia().use(plugin).get('/x', open, { apiKey: true }).get('/y', open, { masterKey: true }).onError(listener),
    'in a module': async (plugin) =>
      new Elysia()
        .use(plugin)
        .use(
          new Elysia()
            .use(plugin)
            .onError(listener)
            .get('/x', open, { apiKey: true })
            .get('/y', open, { masterKey: true }),
        ),
    'in a group': async (plugin) =>
      new Elysia()
        .use(plugin)
        .group('', (inner) =>
          inner.onError(listener).get('/x', open, { apiKey: true }).get('/y', open, { masterKey: true }),
        ),
    'on the route': async (plugin) =>
      new Elysia()
        .use(plugin)
        .get('/x', open, { apiKey: true, error: listener })
        .get('/y', open, { masterKey: true, error: listener }),
  }

  test.each(Object.keys(PLACES))('%s can answer a refusal, or leave it', async (place) => {
    heard.length = 0
    await withPlugin({}, async (plugin) => {
      const app = await PLACES[place]?.(plugin)
      if (app === undefined) throw new Error('no such place')
      const answered = await handle(app, '/x', { headers: ID })
      expect([answered.status, answered.text]).toEqual([418, 'mine: 401 request-of-mine'])
      expect(answered.headers.get('x-request-id')).toBe('request-of-mine')
      expectRefusal(await handle(app, '/y', { headers: { 'x-admin-key': 'wrong' } }), 401, 'master_key_invalid')
    })
    // Elysia itself calls the handler of a group twice where it does not answer.
    expect([...new Set(heard)]).toEqual(['credential_missing', 'master_key_invalid'])
  })

  test('sees the error itself, and the caller and the log what they should', async () => {
    heard.length = 0
    const error = new Error('the database password is hunter2')
    for (const isBefore of [true, false]) {
      await withPlugin({}, async (plugin) => {
        const base = new Elysia()
        const app = isBefore
          ? base
              .onError(listener)
              .use(plugin)
              .get('/x', () => fail(error))
          : base
              .use(plugin)
              .get('/x', () => fail(error))
              .onError(listener)
        const { result } = await withLog(() => handle(app, '/x'))
        expectRefusal(result, 500, 'internal_error')
      })
    }
    expect(heard).toEqual([error, error])
  })
})

describe('onDenied', () => {
  test.each([false, true])('answers instead of problem+json (late: %p)', async (isLate) => {
    const seen: string[] = []
    const onDenied: MachineAuthOptions['onDenied'] = (error, { request, path }) => {
      seen.push(`${error.code} ${error.requestId} ${request.method} ${path}`)
      const answer = path === '/x' ? new Response('mine', { status: 418 }) : undefined
      return isLate ? Promise.resolve(answer) : answer
    }
    await withPlugin({ onDenied }, async (plugin) => {
      const app = new Elysia()
        .use(plugin)
        .get('/x', () => 'open', { apiKey: true })
        .post('/y', () => 'open', { apiKey: true })
      const answered = await handle(app, '/x?key=secret', { headers: ID })
      expect([answered.status, answered.text]).toEqual([418, 'mine'])
      expect(answered.headers.get('x-request-id')).toBe('request-of-mine')
      expectRefusal(await handle(app, '/y', { method: 'POST' }), 401, 'credential_missing')
    })
    expect(seen[0]).toBe('credential_missing request-of-mine GET /x')
    expect(seen[1]).toMatch(/^credential_missing \S{8,} POST \/y$/)
  })

  test('hears of refusals, not of other errors', async () => {
    let heard = 0
    const onDenied = () => {
      heard += 1
      return undefined
    }
    await withPlugin({ onDenied }, async (plugin) => {
      const app = new Elysia().use(plugin).get('/x', () => fail(new Error('x')))
      const { result } = await withLog(() => handle(app, '/x'))
      expectRefusal(result, 500, 'internal_error')
      expect((await handle(app, '/nowhere')).status).toBe(404)
    })
    expect(heard).toBe(0)
  })

  const failing: Readonly<Record<string, NonNullable<MachineAuthOptions['onDenied']>>> = {
    throws: () => fail(new Error('hunter2')),
    rejects: async () => fail(new Error('hunter2')),
  }

  describe.each(Object.entries(failing))('that %s', (_, onDenied) => {
    test('refuses all the same, and the log says why', async () => {
      const protect = [{ path: '/protected', require: { apiKey: true } }] as const
      await withPlugin({ onDenied, protect }, async (plugin) => {
        const app = new Elysia().use(plugin).get('/x', () => 'open', { apiKey: true })
        for (const path of ['/x', '/protected']) {
          const { result, log } = await withLog(() => handle(app, path, { headers: ID }))
          expectRefusal(result, 401, 'credential_missing')
          expect(log).toHaveLength(1)
          expect(JSON.parse(log[0] ?? '')).toMatchObject({ requestId: 'request-of-mine', path })
          expect(log[0]).toContain('hunter2')
        }
      })
    })
  })
})

const SECRET_TEXT = 'hunter2'
const unexpected = () => new Error(SECRET_TEXT)

/** Errors nobody made on purpose: a generic 500, logged once. */
const UNEXPECTED: Readonly<Record<string, Handler>> = {
  'an error': () => fail(unexpected()),
  'a rejection': () => Promise.reject(unexpected()),
  'an async handler': async () => fail(unexpected()),
  'a late rejection': async () => {
    await Promise.resolve()
    fail(unexpected())
  },
  'a TypeError': () => (undefined as unknown as { hunter2: string }).hunter2,
  'a frozen error': () => fail(Object.freeze(unexpected())),
  'an error of status 500': () => fail(Object.assign(unexpected(), { status: 500 })),
  'an error of status 200': () => fail(Object.assign(unexpected(), { status: 200 })),
  'an error with a code': () => fail(Object.assign(unexpected(), { code: 'ENOENT' })),
  'an error with a cause': () => fail(new Error('outer', { cause: unexpected() })),
  'several errors': () => fail(new AggregateError([unexpected()], SECRET_TEXT)),
  'an error of a class of the app': () =>
    fail(
      new (class DatabaseError extends Error {
        readonly query = `select ${SECRET_TEXT}`
      })(SECRET_TEXT),
    ),
}

function expectGeneric(answer: Answer, log: readonly string[]): void {
  expectRefusal(answer, 500, 'internal_error')
  expect(answer.problem.requestId).toBe('request-of-mine')
  expect(answer.text).not.toContain(SECRET_TEXT)
  expect(JSON.stringify([...answer.headers])).not.toContain(SECRET_TEXT)
  expect(log).toHaveLength(1)
  expect(JSON.parse(log[0] ?? '')).toMatchObject({ requestId: 'request-of-mine', method: 'GET', path: '/x' })
}

describe('an unexpected error is a generic 500, logged once under the same id', () => {
  test.each(Object.keys(UNEXPECTED))('%s', async (name) => {
    await withPlugin({}, async (plugin) => {
      const app = new Elysia().use(plugin).get('/x', UNEXPECTED[name] as () => string)
      const { result, log } = await withLog(() => handle(app, '/x?token=hidden', { headers: ID }))
      expectGeneric(result, log)
      expect(log[0]).not.toContain('hidden')
    })
  })

  test.each(['derive', 'transform', 'beforeHandle', 'afterHandle'] as const)('in %s', async (hook) => {
    await withPlugin({}, async (plugin) => {
      const app = new Elysia().use(plugin)
      if (hook === 'derive') app.derive(() => fail(unexpected()))
      if (hook === 'transform') app.onTransform(() => fail(unexpected()))
      if (hook === 'beforeHandle') app.onBeforeHandle(() => fail(unexpected()))
      if (hook === 'afterHandle') app.onAfterHandle(() => fail(unexpected()))
      app.get('/x', () => 'open')
      const { result, log } = await withLog(() => handle(app, '/x', { headers: ID }))
      expectGeneric(result, log)
    })
  })

  test('in a group, a module, a guarded block', async () => {
    await withPlugin({}, async (plugin) => {
      const app = new Elysia()
        .use(plugin)
        .group('/group', (inner) => inner.get('', () => fail(unexpected())))
        .guard({}, (inner) => inner.get('/block', () => fail(unexpected())))
        .use(new Elysia({ prefix: '/module' }).use(plugin).get('', () => fail(unexpected())))
      for (const path of ['/group', '/block', '/module']) {
        const { result, log } = await withLog(() => handle(app, path, { headers: ID }))
        expectRefusal(result, 500, 'internal_error')
        expect([path, log.length]).toEqual([path, 1])
      }
    })
  })

  test('one error that is thrown again is answered and logged under each request’s own id', async () => {
    const shared = unexpected()
    await withPlugin({}, async (plugin) => {
      const app = new Elysia().use(plugin).get('/x', () => fail(shared))
      const { result, log } = await withLog(async () => [
        await handle(app, '/x', { headers: { 'x-request-id': 'request-1' } }),
        await handle(app, '/x', { headers: { 'x-request-id': 'request-2' } }),
      ])
      expect(result.map(({ problem }) => problem.requestId)).toEqual(['request-1', 'request-2'])
      expect(log.map((line) => JSON.parse(line).requestId)).toEqual(['request-1', 'request-2'])
    })
  })

  test('one refusal that is thrown again carries each request’s own id', async () => {
    const shared = new MachineAuthError('conflict')
    await withPlugin({}, async (plugin) => {
      const app = new Elysia().use(plugin).get('/x', () => fail(shared))
      for (const id of ['request-1', 'request-2']) {
        const answer = await handle(app, '/x', { headers: { 'x-request-id': id } })
        expectRefusal(answer, 409, 'conflict')
        expect(answer.problem.requestId).toBe(id)
      }
    })
  })

  for (const thrown of [SECRET_TEXT, { password: SECRET_TEXT }, 42]) {
    test(`a ${typeof thrown} that is thrown`, async () => {
      await withPlugin({}, async (plugin) => {
        const app = new Elysia().use(plugin).get('/x', () => fail(thrown))
        const { result, log } = await withLog(() => handle(app, '/x', { headers: ID }))
        expectGeneric(result, log)
      })
    })
  }

  test('an error in an onRequest hook', async () => {
    await withPlugin({}, async (plugin) => {
      const app = new Elysia()
        .use(plugin)
        .onRequest(() => fail(unexpected()))
        .get('/x', () => 'open')
      const { result, log } = await withLog(() => handle(app, '/x', { headers: ID }))
      expectGeneric(result, log)
    })
  })
})

describe('an error that the app made on purpose stays its own', () => {
  test.each<[string, Handler, number, string]>([
    ['of a status below 500', () => fail(Object.assign(new Error('teapot'), { status: 418 })), 418, 'teapot'],
    [
      'that renders itself',
      () => fail(Object.assign(new Error(''), { toResponse: () => new Response('own') })),
      200,
      'own',
    ],
    ['status()', () => status(409, 'mine'), 409, 'mine'],
    ['thrown status()', () => fail(status(409, 'mine')), 409, 'mine'],
    ['a thrown Response', () => fail(new Response('mine', { status: 409 })), 409, 'mine'],
  ])('%s', async (_, handler, expected, text) => {
    await withPlugin({}, async (plugin) => {
      const app = new Elysia().use(plugin).get('/x', handler as () => string)
      const { result, log } = await withLog(() => handle(app, '/x', { headers: ID }))
      expect([result.status, result.text]).toEqual([expected, text])
      expect(result.headers.get('x-request-id')).toBe('request-of-mine')
      expect(log).toEqual([])
    })
  })

  test('not found, which keeps what it says', async () => {
    await withPlugin({}, async (plugin) => {
      const app = new Elysia().use(plugin).get('/x', () => fail(new NotFoundError('no such thing')))
      const answer = await handle(app, '/x', { headers: ID })
      expect([answer.status, answer.problem.code, answer.problem.detail]).toEqual([404, 'not_found', 'no such thing'])
    })
  })

  test('a MachineAuthError of the app is rendered like ours', async () => {
    await withPlugin({}, async (plugin) => {
      const error = () => new MachineAuthError('conflict', { detail: 'The name is taken.' })
      const app = new Elysia().use(plugin).get('/x', () => fail(error()))
      const answer = await handle(app, '/x', { headers: ID })
      expectRefusal(answer, 409, 'conflict')
      expect([answer.problem.detail, answer.problem.requestId]).toEqual(['The name is taken.', 'request-of-mine'])
    })
  })

  test('a body or query that does not validate', async () => {
    await withPlugin({}, async (plugin) => {
      const app = new Elysia().use(plugin).get('/x', () => 'open', { query: t.Object({ a: t.Number() }) })
      const { result, log } = await withLog(() => handle(app, '/x', { headers: ID }))
      expect([result.status, result.headers.get('x-request-id'), log.length]).toEqual([422, 'request-of-mine', 0])
      expect(result.problem).toMatchObject({ code: 'validation_failed', errors: [{ path: 'a' }] })
    })
  })

  test('… but not an answer that fails its own schema, which would be shown', async () => {
    await withPlugin({}, async (plugin) => {
      const secret = () => ({ password: 'hunter2' }) as unknown as { name: string }
      const app = new Elysia().use(plugin).get('/x', secret, { response: t.Object({ name: t.String() }) })
      const { result, log } = await withLog(() => handle(app, '/x', { headers: ID }))
      expect([result.status, result.problem.code, log.length]).toEqual([500, 'internal_error', 1])
      expect(result.text).not.toContain('hunter2')
    })
  })

  test('all of Elysia’s own are left to an app with an onError', async () => {
    await withPlugin({}, async (plugin) => {
      const app = new Elysia()
        .use(plugin)
        .onError(({ code }) => `own ${code}`)
        .get('/x', () => 'open', { query: t.Object({ a: t.Number() }) })
      expect((await handle(app, '/nowhere')).text).toBe('own NOT_FOUND')
      expect((await handle(app, '/x')).text).toBe('own VALIDATION')
    })
  })
})

test('every answer carries the request id: unknown paths, malformed bodies, constants', async () => {
  await withPlugin({}, async (plugin) => {
    const app = new Elysia()
      .use(plugin)
      .get('/constant', 'constant')
      .get('/response', new Response('response'))
      .post('/body', ({ body }) => JSON.stringify(body))
    const json = { 'content-type': 'application/json' }
    const answers = [
      await handle(app, '/nowhere', { headers: ID }),
      await handle(app, '/constant', { headers: ID }),
      await handle(app, '/response', { headers: ID }),
      await handle(app, '/body', { method: 'POST', body: '{', headers: { ...ID, ...json } }),
    ]
    expect(answers.map(summary)).toEqual(['404 not_found', '200', '200', '400 request_malformed'])
    expect(answers.map(({ headers }) => headers.get('x-request-id'))).toEqual(answers.map(() => 'request-of-mine'))
  })
})
