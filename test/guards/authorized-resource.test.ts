/** Routes that act on something somebody owns: first who asks, then whether it exists, then whether he may. */
import { beforeEach, describe, expect, test } from 'bun:test'
import { Elysia, t } from 'elysia'
import { MachineAuthError } from '../../src/errors.ts'
import { authorizedResource, type LoadContext } from '../../src/guards/authorized-resource.ts'
import { createTestPlugin, STANDARD, withServer } from '../support/guarded-app.ts'
import {
  ask,
  expectRefusal,
  handle,
  JSON_TYPE,
  openSocket,
  PRESENT,
  type Presented,
  sendRaw,
  summary,
  unfinishedUpload,
  withLog,
} from './support.ts'

interface Post {
  readonly id: string
  readonly by: string | null
  readonly text: string
}

const POSTS: Readonly<Record<string, Post>> = {
  hers: { id: 'hers', by: 'user_alice', text: 'by Alice' },
  his: { id: 'his', by: 'user_bob', text: 'by Bob' },
  nobodys: { id: 'nobodys', by: null, text: 'by nobody' },
  empty: { id: 'empty', by: '', text: 'by an empty id' },
}

const loads: string[] = []
let ran = 0
beforeEach(() => {
  loads.length = 0
  ran = 0
})

function find(id: string | undefined): Post | null {
  loads.push(String(id))
  return id !== undefined && Object.hasOwn(POSTS, id) ? (POSTS[id] ?? null) : null
}

const owner = (post: Post) => post.by
const RESOURCES = {
  plain: authorizedResource('post', { load: ({ params }) => find(params.id), owner }),
  late: authorizedResource('post', {
    load: async ({ params }) => {
      await Promise.resolve()
      return find(params.id)
    },
    owner,
  }),
  roles: authorizedResource('post', { load: ({ params }) => find(params.id), owner, roles: ['moderator', 'admin'] }),
  permission: authorizedResource('post', {
    load: ({ params }) => find(params.id),
    owner,
    permission: 'users.view',
  }),
  concealed: authorizedResource('post', { load: ({ params }) => find(params.id), owner, concealExistence: true }),
  many: authorizedResource('post', {
    load: ({ params }) => find(params.id),
    owner: (post) => ['user_carol', post.by ?? ''],
  }),
}

function createApp(kind: keyof typeof RESOURCES, slow = false) {
  const show = ({ post, currentUser }: { post: Post; currentUser: { id: string } }) => {
    ran += 1
    return `${post.text} for ${currentUser.id}`
  }
  return new Elysia()
    .use(createTestPlugin({ ...STANDARD, slow }).plugin)
    .use(RESOURCES[kind])
    .get('/posts/:id', show, { authorizedPost: true })
    .put('/posts/:id', show, { authorizedPost: true, body: t.Object({ text: t.String() }) })
    .post('/posts/:id/raw', async ({ request, post }) => post.id + (await request.text()), { authorizedPost: true })
    .ws('/posts/:id/live', {
      authorizedPost: true,
      open: (ws) => void ws.send(`${ws.data.post.text} for ${ws.data.currentUser.id}`),
      message() {},
    })
}

const NOT_FOUND = '404 not_found'
const NOT_OWNER = '403 not_owner'

const TABLE: readonly [kind: keyof typeof RESOURCES, id: string, presented: Presented, expected: string][] = [
  ['plain', 'his', 'nothing', '401 credential_missing'],
  ['plain', 'none', 'nothing', '401 credential_missing'],
  ['plain', 'his', 'wrong token', '401 token_invalid'],
  ['plain', 'his', 'key', '403 user_required'],
  ['plain', 'none', 'key', '403 user_required'],
  ['plain', 'none', 'user token', NOT_FOUND],
  ['plain', '__proto__', 'user token', NOT_FOUND],
  ['plain', 'hers', 'user token', NOT_OWNER],
  ['plain', 'his', 'user token', 'by Bob for user_bob'],
  ['plain', 'his', 'user session', 'by Bob for user_bob'],
  ['plain', 'his', 'owned key', 'by Bob for user_bob'],
  ['plain', 'his', 'admin token', NOT_OWNER],
  ['plain', 'nobodys', 'user token', NOT_OWNER],
  ['plain', 'empty', 'user token', NOT_OWNER],
  ['plain', 'his', 'master as Bearer', '401 token_invalid'],
  ['late', 'his', 'user token', 'by Bob for user_bob'],
  ['late', 'hers', 'user token', NOT_OWNER],
  ['late', 'none', 'user token', NOT_FOUND],
  ['late', 'his', 'nothing', '401 credential_missing'],
  ['roles', 'his', 'admin token', 'by Bob for user_alice'],
  ['roles', 'nobodys', 'admin token', 'by nobody for user_alice'],
  ['roles', 'hers', 'user token', NOT_OWNER],
  ['roles', 'none', 'admin token', NOT_FOUND],
  ['permission', 'hers', 'admin token', 'by Alice for user_alice'],
  ['permission', 'his', 'admin token', 'by Bob for user_alice'],
  ['permission', 'hers', 'user token', NOT_OWNER],
  ['concealed', 'hers', 'user token', NOT_FOUND],
  ['concealed', 'none', 'user token', NOT_FOUND],
  ['concealed', 'his', 'user token', 'by Bob for user_bob'],
  ['concealed', 'hers', 'nothing', '401 credential_missing'],
  ['many', 'his', 'user token', 'by Bob for user_bob'],
  ['many', 'hers', 'user token', NOT_OWNER],
  ['many', 'nobodys', 'user token', NOT_OWNER],
]

describe.each([false, true])('credentials that must be looked up: %p', (slow) => {
  test.each(TABLE)('%s: %s given %s: %s', async (kind, id, presented, expected) => {
    const app = createApp(kind, slow)
    const headers = PRESENT[presented]
    const isAsked = !expected.startsWith('401') && !expected.includes('user_required')
    const answers = [
      await handle(app, `/posts/${id}`, { headers }),
      await handle(app, `/posts/${id}`, {
        method: 'PUT',
        body: '{"text":"new"}',
        headers: { ...JSON_TYPE, ...headers },
      }),
    ]
    const [status, code = ''] = expected.split(' ')
    for (const answer of answers) {
      if (/^\d/.test(expected)) expectRefusal(answer, Number(status), code)
      else expect([answer.status, answer.text]).toEqual([200, expected])
    }
    // Once for each request, and never for somebody who is nobody.
    expect(loads).toEqual(isAsked ? [id, id] : [])
    expect(ran).toBe(/^\d/.test(expected) ? 0 : 2)
  })
})

test('concealed and missing look the same', async () => {
  const app = createApp('concealed')
  const ids = ['hers', 'none']
  const answers = await Promise.all(ids.map((id) => handle(app, `/posts/${id}`, { headers: PRESENT['user token'] })))
  const seen = answers.map(({ status, text, problem }) => `${status} ${text.replace(String(problem.requestId), '')}`)
  expect(seen[0]).toBe(String(seen[1]))
})

test('who may besides the owner is named in the refusal', async () => {
  const answer = await handle(createApp('roles'), '/posts/hers', { headers: PRESENT['user token'] })
  expect(answer.problem.required).toEqual(['moderator', 'admin'])
})

test('refuses before the body is read or validated', async () => {
  await withServer(createApp('late'), async (origin) => {
    for (const [id, presented, status] of [
      ['his', 'nothing', 401],
      ['none', 'user token', 404],
      ['hers', 'user token', 403],
    ] as const) {
      const headers = { ...JSON_TYPE, ...PRESENT[presented] }
      for (const path of [`/posts/${id}`, `/posts/${id}/raw`]) {
        const method = path.endsWith('raw') ? 'POST' : 'PUT'
        expect((await sendRaw(origin, unfinishedUpload(method, path, headers)))?.status).toBe(status)
        expect((await ask(origin + path, { method, body: '{', headers })).status).toBe(status)
      }
    }
    expect(ran).toBe(0)
    const headers = { ...JSON_TYPE, ...PRESENT['user token'] }
    expect((await ask(`${origin}/posts/his`, { method: 'PUT', body: '{"x":1}', headers })).status).toBe(422)
    expect((await ask(`${origin}/posts/his/raw`, { method: 'POST', body: '{', headers })).text).toBe('his{')
    expect(loads.filter((id) => id === 'his')).toHaveLength(2)
  })
})

test('guards a WebSocket, and loads once for its upgrade', async () => {
  await withServer(createApp('late'), async (origin) => {
    expect(await openSocket(origin, '/posts/hers/live', PRESENT['user token'])).toBeNull()
    expect(await openSocket(origin, '/posts/none/live', PRESENT['user token'])).toBeNull()
    expect(await openSocket(origin, '/posts/his/live')).toBeNull()
    expect(await openSocket(origin, '/posts/his/live', PRESENT['user token'])).toBe('by Bob for user_bob')
    expect(loads).toEqual(['hers', 'none', 'his'])
  })
})

test('load is told the parameters, the request and the user', async () => {
  const told: LoadContext[] = []
  const pages = authorizedResource('page', {
    load: (context) => {
      told.push(context)
      return { by: context.user.id }
    },
    owner: (page) => page.by,
  })
  const app = new Elysia()
    .use(createTestPlugin().plugin)
    .use(pages)
    .get('/a/:one/:two', ({ page }) => page.by, { authorizedPage: true })
  const answer = await handle(app, '/a/x%2Fy/z?q=1', { headers: PRESENT['user token'] })
  expect(answer.text).toBe('user_bob')
  expect(told.map(({ params, user, request }) => [{ ...params }, user.id, new URL(request.url).search])).toEqual([
    [{ one: 'x/y', two: 'z' }, 'user_bob', '?q=1'],
  ])
})

describe('a load that fails', () => {
  const failing: Readonly<Record<string, () => never | Promise<never>>> = {
    throws: () => {
      throw new Error('hunter2')
    },
    rejects: () => Promise.reject(new Error('hunter2')),
  }

  test.each(Object.keys(failing))('%s: a generic 500, and the handler does not run', async (name) => {
    const broken = authorizedResource('broken', { load: () => failing[name]?.() ?? null, owner: () => 'user_bob' })
    const app = new Elysia()
      .use(createTestPlugin().plugin)
      .use(broken)
      .post('/x', ({ body }) => `ran ${body}`, { authorizedBroken: true })
    const init = { method: 'POST', body: '{', headers: { ...JSON_TYPE, ...PRESENT['user token'] } }
    const { result, log } = await withLog(() => handle(app, '/x', init))
    expectRefusal(result, 500, 'internal_error')
    expect(result.text).not.toContain('hunter2')
    expect(log).toHaveLength(1)
    expectRefusal(await handle(app, '/x', { method: 'POST' }), 401, 'credential_missing')
  })

  test('with a refusal of its own: that is the answer', async () => {
    const gone = authorizedResource('gone', {
      load: () => {
        throw new MachineAuthError('storage_unavailable', { retryAfter: 3, retryable: true })
      },
      owner: () => null,
    })
    const app = new Elysia()
      .use(createTestPlugin().plugin)
      .use(gone)
      .get('/x', () => 'ran', { authorizedGone: true })
    const answer = await handle(app, '/x', { headers: PRESENT['user token'] })
    expectRefusal(answer, 503, 'storage_unavailable')
    expect(answer.headers.get('retry-after')).toBe('3')
  })

  test('in owner: a generic 500', async () => {
    const odd = authorizedResource('odd', {
      load: () => ({ by: 1 }),
      owner: () => {
        throw new Error('hunter2')
      },
    })
    const app = new Elysia()
      .use(createTestPlugin().plugin)
      .use(odd)
      .get('/x', () => 'ran', { authorizedOdd: true })
    const { result } = await withLog(() => handle(app, '/x', { headers: PRESENT['user token'] }))
    expectRefusal(result, 500, 'internal_error')
  })

  test.each([[1], [{}], [true], [[{}]], ['user_bobby'], [['user_bobby']], ['']])(
    'an owner of %p owns nothing',
    async (by) => {
      const odd = authorizedResource('odd', { load: () => ({}), owner: () => by as string })
      const app = new Elysia()
        .use(createTestPlugin().plugin)
        .use(odd)
        .get('/x', () => 'ran', { authorizedOdd: true })
      const { result } = await withLog(() => handle(app, '/x', { headers: PRESENT['user token'] }))
      expect(['403 not_owner', '500 internal_error']).toContain(summary(result))
    },
  )
})

test('values that are falsy exist', async () => {
  for (const value of [0, '', false]) {
    const odd = authorizedResource('odd', { load: () => value, owner: () => 'user_bob' })
    const app = new Elysia()
      .use(createTestPlugin().plugin)
      .use(odd)
      .get('/x', ({ odd: found }) => JSON.stringify(found), { authorizedOdd: true })
    expect((await handle(app, '/x', { headers: PRESENT['user token'] })).text).toBe(JSON.stringify(value))
  }
})

test('two resources on one route both count, and both are there', async () => {
  const one = authorizedResource('one', { load: () => ({ by: 'user_bob' }), owner: (x) => x.by })
  const two = authorizedResource('two', { load: ({ user }) => ({ by: user.id, n: 2 }), owner: (x) => x.by })
  const app = new Elysia()
    .use(createTestPlugin().plugin)
    .use(one)
    .use(two)
    .get('/x', (context) => context.one.by + context.two.n, { authorizedOne: true, authorizedTwo: true })
  expect((await handle(app, '/x', { headers: PRESENT['user token'] })).text).toBe('user_bob2')
  expectRefusal(await handle(app, '/x', { headers: PRESENT['admin token'] }), 403, 'not_owner')
})
