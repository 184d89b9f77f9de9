/** A limit that is none, or that nothing would count for, stops the start. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { RouteAuditError } from '../../src/guards/audit.ts'
import { formatRoutes, listRoutes, requireGuardedRoutes } from '../../src/index.ts'
import { createTestPlugin, withServer } from '../support/guarded-app.ts'
import { unchecked } from '../support/limited.ts'
import { createTestCore } from '../support/test-app.ts'
import { ask, withLog } from './support.ts'

const open = () => 'open'
const LIMIT = { limit: 1, window: '1m' } as const

/** What is written, and where the message says the mistake is. */
const MISTAKES: readonly (readonly [given: unknown, place: string])[] = [
  [false, ''],
  [true, ''],
  [null, ''],
  [undefined, ''],
  [60, ''],
  ['60/1m', ''],
  [{}, '.limit'],
  [[], ''],
  [[LIMIT, null], '[1]'],
  [[LIMIT, []], '[1]'],
  [[LIMIT, { limit: 1 }], '[1].window'],
  [{ limit: 0, window: '1m' }, '.limit'],
  [{ limit: -1, window: '1m' }, '.limit'],
  [{ limit: 0.5, window: '1m' }, '.limit'],
  [{ limit: Number.NaN, window: '1m' }, '.limit'],
  [{ limit: Number.POSITIVE_INFINITY, window: '1m' }, '.limit'],
  [{ limit: 1_000_000_001, window: '1m' }, '.limit'],
  [{ limit: '5', window: '1m' }, '.limit'],
  [{ limit: 5n, window: '1m' }, '.limit'],
  [{ window: '1m' }, '.limit'],
  [{ limit: 5 }, '.window'],
  [{ limit: 5, window: 'soon' }, '.window'],
  [{ limit: 5, window: '' }, '.window'],
  [{ limit: 5, window: 0 }, '.window'],
  [{ limit: 5, window: '0s' }, '.window'],
  [{ limit: 5, window: -60 }, '.window'],
  [{ limit: 5, window: '-1m' }, '.window'],
  [{ limit: 5, window: null }, '.window'],
  [{ limit: 5, window: '16:00' }, '.window'],
  [{ ...LIMIT, max: 5 }, '.max'],
  [{ ...LIMIT, strategy: 'fixed-window' }, '.strategy'],
  [{ ...LIMIT, by: 'session' }, '.by'],
  [{ ...LIMIT, by: 5 }, '.by'],
  [{ ...LIMIT, scope: 'route' }, '.scope'],
  [{ ...LIMIT, name: '' }, '.name'],
  [{ ...LIMIT, name: 'a b' }, '.name'],
  [{ ...LIMIT, name: 'a"b' }, '.name'],
  [{ ...LIMIT, name: 'a\r\nSet-Cookie: x' }, '.name'],
  [{ ...LIMIT, name: 'x'.repeat(65) }, '.name'],
  [{ ...LIMIT, cost: -1 }, '.cost'],
  [{ ...LIMIT, cost: 0.5 }, '.cost'],
  [{ ...LIMIT, cost: '1' }, '.cost'],
  [{ ...LIMIT, cost: 2 }, ''],
  [{ ...LIMIT, burst: 5 }, ''],
  [{ ...LIMIT, strategy: 'token-bucket', burst: 0 }, '.burst'],
  [{ ...LIMIT, strategy: 'token-bucket', burst: 2, cost: 3 }, ''],
  [{ ...LIMIT, lockout: '25:99' }, '.lockout'],
  [{ ...LIMIT, lockout: 'soon' }, '.lockout'],
  [{ ...LIMIT, lockout: '24:00' }, '.lockout'],
  [{ ...LIMIT, lockout: '13:00 PM' }, '.lockout'],
  [{ ...LIMIT, lockout: '0:30 PM' }, '.lockout'],
  [{ ...LIMIT, lockout: '16' }, '.lockout'],
  [{ ...LIMIT, lockout: '' }, '.lockout'],
  [{ ...LIMIT, lockout: 0 }, '.lockout'],
  [{ ...LIMIT, lockout: true }, '.lockout'],
  [{ ...LIMIT, lockout: '16:00', timeZone: 'Mars/Olympus' }, '.timeZone'],
  [{ ...LIMIT, lockout: '16:00', timeZone: '' }, '.timeZone'],
  [{ ...LIMIT, lockout: 3600, timeZone: 'Europe/Berlin' }, ''],
  [{ ...LIMIT, timeZone: 'Europe/Berlin' }, ''],
  [{ concurrent: 0 }, '.concurrent'],
  [{ concurrent: '1' }, '.concurrent'],
  [{ concurrent: 1, limit: 5, window: '1m' }, '.limit'],
  [{ concurrent: 1, lockout: '1h' }, '.lockout'],
]

const ROWS = MISTAKES.map(([given, place]) => [Bun.inspect(given).replaceAll(/\s+/g, ' '), given, place] as const)

type Declare = (app: Elysia, rateLimit: unknown) => unknown

/** Everywhere a limit can be written. */
const PLACES: Readonly<Record<string, Declare>> = {
  route: (app, rateLimit) => app.get('/x', open, unchecked({ rateLimit })),
  'route with a guard': (app, rateLimit) => app.get('/x', open, unchecked({ apiKey: true, rateLimit })),
  'route, before a guard': (app, rateLimit) => app.post('/x', open, unchecked({ rateLimit, apiKey: true })),
  guard: (app, rateLimit) => app.guard(unchecked({ rateLimit })),
  'guard with a callback': (app, rateLimit) => app.guard(unchecked({ rateLimit }), (inner) => inner.get('/x', open)),
  group: (app, rateLimit) => app.group('/x', unchecked({ rateLimit }), (inner) => inner.get('', open)),
  WebSocket: (app, rateLimit) => app.ws('/x', { ...unchecked({ rateLimit }), message: () => undefined }),
}

/** Declares a route and answers what it threw. */
function declare(rateLimit: unknown, place = 'route'): unknown {
  const { plugin } = createTestPlugin()
  try {
    PLACES[place]?.(new Elysia().use(plugin) as unknown as Elysia, rateLimit)
    return null
  } catch (error) {
    return error
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof TypeError)) throw new Error(`expected a TypeError, got ${error}`)
  return error.message
}

describe('a route does not take', () => {
  test.each(ROWS)('%s', (_, given, place) => {
    expect(messageOf(declare(given))).toStartWith(`rateLimit${place}: `)
  })

  test('several mistakes without a line for each', () => {
    const given = [{ limit: 0, window: 'soon' }, LIMIT, { concurrent: 0, y: 1 }]
    const places = messageOf(declare(given))
      .split('\n')
      .map((line) => line.split(':')[0])
    expect(places.sort()).toEqual([
      'rateLimit[0].limit',
      'rateLimit[0].window',
      'rateLimit[2].concurrent',
      'rateLimit[2].y',
    ])
  })
})

describe.each(Object.keys(PLACES))('a %s', (place) => {
  test.each([
    ['false', false],
    ['null', null],
    ['true', true],
    ['nothing', undefined],
    ['an empty list', []],
    ['no limit', { limit: 0, window: '1m' }],
  ])('does not take %s', (_, given) => {
    expect(messageOf(declare(given, place))).toStartWith('rateLimit')
  })
})

describe('the options do not take', () => {
  test.each(ROWS.filter(([, given]) => given !== undefined))('rateLimit.default: %s', (_, given) => {
    const create = () => createTestCore({ rateLimit: { default: given as never } })
    expect(create).toThrow(TypeError)
    expect(create).toThrow(/rateLimit\.default/)
  })
})

describe('what is right is taken', () => {
  test.each([
    [LIMIT],
    [{ limit: 1_000_000_000, window: 86_400 }],
    [{ ...LIMIT, strategy: 'token-bucket', burst: 5, cost: 5 }],
    [{ ...LIMIT, lockout: 86_400 }],
    [{ ...LIMIT, lockout: '24h' }],
    [{ ...LIMIT, lockout: '1 hour' }],
    [{ ...LIMIT, lockout: '2 days' }],
    [{ ...LIMIT, lockout: '4 pm' }],
    [{ ...LIMIT, lockout: '4:00 PM', timeZone: 'Europe/Berlin' }],
    [{ ...LIMIT, by: () => 'x', cost: () => 1, scope: 'global', name: 'A-b_9' }],
    [{ concurrent: 1_000_000, by: 'organization' }],
  ])('%p', (given) => {
    for (const place of Object.keys(PLACES)) expect(declare(given, place)).toBeNull()
    expect(declare([given])).toBeNull()
  })
})

describe('a limit that nothing would count for', () => {
  type Plugin = ReturnType<typeof createTestPlugin>['plugin']
  const SHAPES: Readonly<Record<string, (plugin: Plugin) => Elysia>> = {
    'on a route before the plugin': (plugin) =>
      new Elysia().get('/x', open, unchecked({ rateLimit: LIMIT })).use(plugin) as unknown as Elysia,
    'in a group before the plugin': (plugin) =>
      new Elysia()
        .group('/x', unchecked({ rateLimit: LIMIT }), (inner) => inner.get('', open))
        .use(plugin) as unknown as Elysia,
    'in a guard before the plugin': (plugin) =>
      new Elysia()
        .guard(unchecked({ rateLimit: LIMIT }), (inner) => inner.get('/x', open))
        .use(plugin) as unknown as Elysia,
    'in a module before the plugin': (plugin) =>
      new Elysia().use(new Elysia().get('/x', open, unchecked({ rateLimit: LIMIT }))).use(plugin) as unknown as Elysia,
    'behind a macro that yields nothing': (plugin) =>
      new Elysia()
        .macro('logged', (_: boolean) => undefined as unknown as Record<never, never>)
        .use(plugin)
        .get('/x', open, { logged: true, rateLimit: LIMIT }) as unknown as Elysia,
  }

  test.each(Object.keys(SHAPES))('%s stops the start', async (name) => {
    const { plugin, engine } = createTestPlugin()
    const app = SHAPES[name]?.(plugin)
    if (app === undefined) throw new Error('no such shape')
    expect(() => engine.routes.audit()).toThrow(RouteAuditError)
    expect(() => engine.routes.audit()).toThrow(/GET \/x: 'rateLimit' is not applied/)
    const { result } = await withLog(() =>
      withServer(app, async (origin) => [(await ask(`${origin}/x`)).status, (await ask(`${origin}/nowhere`)).status]),
    )
    expect(result).toEqual([500, 500])
  })

  test('in a guard without a callback, before the plugin, is refused where it is written', () => {
    expect(() => new Elysia().guard(unchecked({ rateLimit: LIMIT }))).toThrow(/rateLimit/)
  })
})

describe('a limit guards nothing', () => {
  const { plugin } = createTestPlugin()
  const app = new Elysia()
    .use(plugin)
    .get('/limited', open, { rateLimit: LIMIT })
    .get('/both', open, { apiKey: true, rateLimit: LIMIT })
    .get('/public', open, { public: true, rateLimit: LIMIT })

  test('so a route that has nothing else is missing a guard', () => {
    expect(() => requireGuardedRoutes(app)).toThrow(RouteAuditError)
    expect(() => requireGuardedRoutes(app)).toThrow(/GET \/limited: has no guard/)
    expect(() => requireGuardedRoutes(app)).not.toThrow(/\/both|\/public/)
  })

  test('and is listed apart from the guards', () => {
    const found = Object.fromEntries(listRoutes(app).map((route) => [route.path, route]))
    expect(found['/limited']).toMatchObject({ guards: [], isPublic: false })
    expect(found['/limited']?.limits).toHaveLength(1)
    expect(found['/both']?.guards.map(({ name }) => name)).toEqual(['apiKey'])
    expect(formatRoutes(listRoutes(app))).toMatch(/GET +\/limited +UNGUARDED/)
  })
})
