import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { formatRoutes, listRoutes, requireGuardedRoutes } from '../../src/guards/listing.ts'
import { createTestPlugin } from '../support/guarded-app.ts'

const LIMIT = { limit: 5, window: '1m' }

test('lists each route with its guards and its limits; a limit guards nothing', () => {
  const app = new Elysia()
    .use(createTestPlugin().plugin)
    .get('/open', () => 'ok')
    .get('/limited', () => 'ok', { rateLimit: LIMIT })
    .get('/public', () => 'ok', { public: true, rateLimit: { ...LIMIT, by: 'user' } })
    .post('/key', () => 'ok', {
      apiKey: { environment: 'live' },
      rateLimit: [
        { limit: 10, window: '1s', by: 'apiKey' },
        { limit: 9, window: 3600, by: () => 'x', name: 'tenant' },
        { concurrent: 2 },
      ],
    })
  expect(formatRoutes(listRoutes(app)).split('\n')).toEqual([
    'GET   /open     UNGUARDED',
    'GET   /limited  UNGUARDED, rateLimit: 5/1m by ip',
    'GET   /public   public, rateLimit: 5/1m by user',
    'POST  /key      apiKey: {"environment":"live"}, rateLimit: 10/1s by apiKey + 9/1h by tenant + 2 at once by ip',
  ])
  expect(() => requireGuardedRoutes(app)).toThrow(/GET \/limited: has no guard/)
})
