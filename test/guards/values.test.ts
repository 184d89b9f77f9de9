/** What may be written behind a guard: everything that would switch it off is refused where it is written. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { createTestPlugin } from '../support/guarded-app.ts'
import { handle } from './support.ts'

const posts = authorizedResource('post', { load: () => ({ by: 'user_bob' }), owner: (post) => post.by })

/** Registers a route as plain JavaScript would, with any value behind any guard. */
function route(guard: string, value: unknown) {
  const options: Record<never, never> = { [guard]: value }
  return new Elysia()
    .use(createTestPlugin().plugin)
    .use(posts)
    .get('/x', () => 'open', options)
}

const OFF = [false, undefined, null, 0, '', Number.NaN] as const
const WRONG_FOR_TRUE = [...OFF, 1, 'true', {}, [], () => true] as const

const TAKES_TRUE = ['bearerToken', 'session', 'optionalUser', 'masterKey', 'public', 'authorizedPost'] as const

describe.each(TAKES_TRUE)('%s takes true alone', (guard) => {
  test.each(WRONG_FOR_TRUE.map((value) => [value]))('refuses %p', (value) => {
    expect(() => route(guard, value)).toThrow(TypeError)
    expect(() => route(guard, value)).toThrow(guard)
  })
})

const TAKES_OBJECTS: Readonly<Record<string, readonly unknown[]>> = {
  apiKey: [...OFF, 1, 'true', 'users.view', [], ['users.view'], () => true],
  currentUser: [...OFF, 1, 'true', [], ['session'], { via: [] }, { via: 'session' }, { via: [''] }, { via: null }],
  requireRole: [...OFF, true, 1, [], {}, [''], ['admin', ''], [null], { any: ['admin'] }, [['admin']]],
  requirePermission: [
    ...OFF,
    true,
    1,
    [],
    {},
    [''],
    { any: [] },
    { any: '' },
    { any: 'users.view' },
    { all: ['x'] },
    [1],
  ],
  requireModule: [...OFF, true, 1, [], {}, { module: '' }, { module: null }, { action: 'x' }, ['users']],
}

describe.each(Object.entries(TAKES_OBJECTS))('%s', (guard, values) => {
  test.each(values.map((value) => [value]))('refuses %p', (value) => {
    expect(() => route(guard, value)).toThrow(TypeError)
    expect(() => route(guard, value)).toThrow(guard)
  })
})

describe('a misspelt member of a requirement is refused: it would demand less than it says', () => {
  test.each([
    ['apiKey', { permission: ['users.view'] }],
    ['apiKey', { permissions: ['users.view'], env: 'live' }],
    ['apiKey', { permissions: 'users.view' }],
    ['apiKey', { permissions: [] }],
    ['apiKey', { permissions: '' }],
    ['apiKey', { environment: 'production' }],
    ['currentUser', { only: ['session'] }],
    ['currentUser', { via: ['sessions'] }],
    ['requireModule', { module: 'users', actions: 'profile' }],
    ['requireModule', { module: 'users', action: '' }],
    ['requireModule', { module: 'users', action: 1 }],
    ['requirePermission', { any: ['users.view'], all: ['posts.view'] }],
  ])('%s: %p', (guard, value) => {
    expect(() => route(guard, value)).toThrow(TypeError)
    expect(() => route(guard, value)).toThrow(guard)
  })
})

describe('values that guard', () => {
  test.each([
    ['apiKey', true],
    ['apiKey', {}],
    ['apiKey', { environment: 'test', permissions: ['users.view'] }],
    ['currentUser', true],
    ['currentUser', {}],
    ['currentUser', { via: ['apiKey', 'jwt', 'session'] }],
    ['requireRole', 'admin'],
    ['requireRole', ['admin', 'user']],
    ['requirePermission', 'users.view'],
    ['requirePermission', { any: ['users.view'] }],
    ['requireModule', 'users'],
    ['requireModule', { module: 'users' }],
    ['authorizedPost', true],
    ['masterKey', true],
  ])('%s: %p', async (guard, value) => {
    expect((await handle(route(guard, value), '/x')).status).toBe(401)
  })
})

describe('the options of resources', () => {
  const load = () => ({ by: 'user_bob' })
  const owner = () => 'user_bob'

  test.each([
    [{}],
    [{ load }],
    [{ owner }],
    [{ load: {}, owner }],
    [{ load, owner: 'by' }],
    [{ load, owner, roles: [] }],
    [{ load, owner, roles: 'admin' }],
    [{ load, owner, roles: [''] }],
    [{ load, owner, permission: '' }],
    [{ load, owner, permission: ['posts.view'] }],
  ])('refuses %p', (options) => {
    expect(() => authorizedResource('post', options as unknown as { load: () => null; owner: () => null })).toThrow(
      /authorizedResource\('post'/,
    )
  })
})

describe('the names of resources', () => {
  test.each(['', 'Post', '1post', 'my-post', 'my post', '__proto__', 'pöst', 'post.x'])('refuses %j', (name) => {
    expect(() => authorizedResource(name, { load: () => null, owner: () => null })).toThrow(TypeError)
  })

  test.each(['post', 'blogPost', 'p', 'post2'])('takes %j', (name) => {
    expect(() => authorizedResource(name, { load: () => null, owner: () => null })).not.toThrow()
  })

  test('two resources of one name in two modules keep their own rules', async () => {
    const { plugin } = createTestPlugin()
    const mine = authorizedResource('post', { load: () => ({ by: 'user_bob' }), owner: (post) => post.by })
    const other = authorizedResource('post', { load: () => ({ by: 'user_alice' }), owner: (post) => post.by })
    const app = new Elysia()
      .use(plugin)
      .use(
        new Elysia({ prefix: '/a' })
          .use(plugin)
          .use(mine)
          .get('', ({ post }) => post.by, { authorizedPost: true }),
      )
      .use(
        new Elysia({ prefix: '/b' })
          .use(plugin)
          .use(other)
          .get('', ({ post }) => post.by, { authorizedPost: true }),
      )
    const headers = { authorization: 'Bearer a.bob.s' }
    expect((await handle(app, '/a', { headers })).text).toBe('user_bob')
    expect((await handle(app, '/b', { headers })).problem.code).toBe('not_owner')
  })
})
