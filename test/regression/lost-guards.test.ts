/** A guard that is written stands before its route, whatever stands beside it: or the app does not serve. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { withLog } from '../guards/support.ts'
import { createTestPlugin } from '../support/guarded-app.ts'

type Plugin = ReturnType<typeof createTestPlugin>['plugin']
type App = { handle: (request: Request) => Promise<Response> }

/** As in plain JavaScript: options of any kind. */
function unchecked(options: object): Record<never, never> {
  return options
}

const GUARD = unchecked({ currentUser: true })
const secret = () => 'secret'

/** `transform: isDebugging && log`, as people write it. */
const OFF = { 'transform: false': { transform: false }, 'transform: 0': { transform: 0 } }

const BESIDE: Readonly<Record<string, (plugin: Plugin, off: object) => App>> = {
  route: (plugin, off) => new Elysia().use(plugin).get('/x', secret, unchecked({ ...GUARD, ...off })),
  'route, the other way round': (plugin, off) =>
    new Elysia().use(plugin).get('/x', secret, unchecked({ ...off, ...GUARD })),
  post: (plugin, off) => new Elysia().use(plugin).post('/x', secret, unchecked({ ...GUARD, ...off })),
  block: (plugin, off) =>
    new Elysia().use(plugin).guard(unchecked({ ...GUARD, ...off }), (inner) => inner.get('/x', secret)),
  guard: (plugin, off) =>
    new Elysia()
      .use(plugin)
      .guard(unchecked({ ...GUARD, ...off }))
      .get('/x', secret),
  group: (plugin, off) =>
    new Elysia().use(plugin).group('/x', unchecked({ ...GUARD, ...off }), (inner) => inner.get('', secret)),
}

const WITHOUT: Readonly<Record<string, (plugin: Plugin) => App>> = {
  '`.guard` before the plugin': (plugin) => new Elysia().guard(GUARD).use(plugin).get('/x', secret),
  '`.guard` in a module that forgot the plugin': (plugin) =>
    new Elysia().use(plugin).use(new Elysia().guard(GUARD).get('/x', secret)),
  '`.guard` in a group of such a module': (plugin) =>
    new Elysia().use(plugin).use(new Elysia().group('/x', (inner) => inner.guard(GUARD).get('', secret))),
}

/** Refused where it is written, at the first request, or by the guard itself. */
async function expectNoSecret(create: (plugin: Plugin) => App): Promise<void> {
  const { result } = await withLog(async () => {
    try {
      const app = create(createTestPlugin().plugin)
      const bodies: string[] = []
      for (const method of ['GET', 'POST']) {
        const response = await app.handle(new Request('http://localhost/x', { method }))
        bodies.push(await response.text())
      }
      return bodies
    } catch (error) {
      return [String(error)]
    }
  })
  expect(result).not.toContain('secret')
}

describe.each(Object.entries(OFF))('beside %s', (_, off) => {
  test.each(Object.keys(BESIDE))('%s', (name) => expectNoSecret((plugin) => BESIDE[name]?.(plugin, off) as App))
})

describe('without the plugin where it is written', () => {
  test.each(Object.keys(WITHOUT))('%s', (name) => expectNoSecret((plugin) => WITHOUT[name]?.(plugin) as App))
})

/** Elysia writes what it makes of options into them, and takes out the option. */
describe('options that were used before', () => {
  const transform = () => undefined

  test.each([
    ['a hook of its own', { transform }],
    ['both hooks', { transform, parse: 'json' }],
  ])('and are given %s for another route', async (_, more) => {
    await expectNoSecret((plugin) => {
      const secured = { currentUser: true } as const
      return new Elysia()
        .use(plugin)
        .get('/other', () => 'other', secured)
        .get('/x', secret, unchecked({ ...secured, ...more }))
    })
  })

  test('in a block', async () => {
    await expectNoSecret((plugin) => {
      const secured = { currentUser: true } as const
      return new Elysia()
        .use(plugin)
        .guard(secured, (inner) => inner.get('/other', () => 'other'))
        .get('/x', secret, { ...secured, transform })
    })
  })

  test('stay as they were written', () => {
    const secured = { currentUser: true } as const
    new Elysia().use(createTestPlugin().plugin).get('/x', secret, secured)
    expect(Object.keys(secured)).toEqual(['currentUser'])
  })
})
