/** A public path is open only where the route that answers it is the public one. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'
import { withServer } from '../support/guarded-app.ts'
import { createTestCore } from '../support/test-app.ts'

const OPTIONS = { protect: [{ path: '/api', require: { apiKey: true } }] } as const
const bodyOf = async (url: string) => (await fetch(url)).text()

test('of two apps behind one core, the public route of one opens nothing in the other', async () => {
  const { core } = createTestCore(OPTIONS)
  await core.ready
  const open = new Elysia().use(machineAuth(core)).get('/api/health', () => 'healthy', { public: true })
  const closed = new Elysia().use(machineAuth(core)).get('/api/:table', ({ params }) => `secret ${params.table}`)
  expect(await withServer(open, (origin) => bodyOf(`${origin}/api/health`))).toBe('healthy')
  expect(await withServer(closed, (origin) => bodyOf(`${origin}/api/health`))).not.toContain('secret')
  await core.close()
})

test.each([0, 1])('a route that differs by the slash at the end is not public too (order %d)', async (order) => {
  const { core } = createTestCore(OPTIONS)
  await core.ready
  const declarations = [
    (app: Elysia) => app.group('/api/list', (group) => group.get('/', () => 'secret')),
    (app: Elysia) => app.get('/api/list', () => 'open', { public: true } as Record<never, never>),
  ]
  const app = new Elysia().use(machineAuth(core)) as unknown as Elysia
  for (const declare of order === 0 ? declarations : declarations.toReversed()) declare(app)
  const answers = await withServer(app, (origin) =>
    Promise.all([bodyOf(`${origin}/api/list`), bodyOf(`${origin}/api/list/`)]),
  )
  expect(answers).not.toContain('secret')
  await core.close()
})
