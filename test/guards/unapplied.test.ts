/** A guard that is written and does not stand before its route: the app does not serve, and says which route it is. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { RouteAuditError } from '../../src/guards/audit.ts'
import { createTestPlugin, withServer } from '../support/guarded-app.ts'
import { handle, openSocket, PRESENT, summary, withLog } from './support.ts'

type Plugin = ReturnType<typeof createTestPlugin>['plugin']
type App = { handle: (request: Request) => Promise<Response>; listen: unknown }

/** As in plain JavaScript: options of any kind. */
function unchecked(options: object): Record<never, never> {
  return options
}

const GUARD = { currentUser: true }
let ran = 0
function open(): string {
  ran += 1
  return 'open'
}

/** Another plugin, whose macros may switch themselves off. */
function others() {
  return new Elysia({ name: 'others' })
    .macro('logged', (_: boolean) => undefined as unknown as Record<never, never>)
    .macro('counted', (_: boolean) => ({}))
    .macro({ cached: { beforeHandle: () => undefined } })
}

/** Shapes that leave the guard in the route's options, where the audit finds it. */
const FOUND: Readonly<Record<string, (plugin: Plugin) => App>> = {
  'T4: route before the plugin': (plugin) => new Elysia().get('/x', open, unchecked(GUARD)).use(plugin),
  'T4: group before the plugin': (plugin) =>
    new Elysia().group('/x', unchecked(GUARD), (inner) => inner.get('', open)).use(plugin),
  'T4: guarded block before the plugin': (plugin) =>
    new Elysia().guard(unchecked(GUARD), (inner) => inner.get('/x', open)).use(plugin),
  'T4: module before the plugin': (plugin) =>
    new Elysia().use(new Elysia().get('/x', open, unchecked(GUARD))).use(plugin),
  'T1: route after a macro that yields nothing': (plugin) =>
    new Elysia().use(others()).use(plugin).get('/x', open, { logged: true, currentUser: true }),
  'T1: group after a macro that yields nothing': (plugin) =>
    new Elysia()
      .use(others())
      .use(plugin)
      .group('/x', { logged: true, currentUser: true }, (inner) => inner.get('', open)),
  'T1: guarded block after a macro that yields nothing': (plugin) =>
    new Elysia()
      .use(others())
      .use(plugin)
      .guard({ logged: true, currentUser: true }, (inner) => inner.get('/x', open)),
  'T1: a role after a macro that yields nothing': (plugin) =>
    new Elysia().use(others()).use(plugin).get('/x', open, { logged: true, requireRole: 'admin' }),
  'a guard whose resource plugin is missing': (plugin) =>
    new Elysia().use(plugin).get('/x', open, unchecked({ authorizedInvoice: true })),
  'a guard switched off by a value that its macro never saw': (plugin) =>
    new Elysia().get('/x', open, unchecked({ currentUser: false })).use(plugin),
}

describe.each(Object.keys(FOUND))('%s', (name) => {
  const create = FOUND[name]

  test('stops the start, naming the route', () => {
    const { plugin, engine } = createTestPlugin()
    create?.(plugin)
    expect(() => engine.routes.audit()).toThrow(RouteAuditError)
    expect(() => engine.routes.audit()).toThrow(/GET \/x: '\w+' is not applied/)
  })

  test.each([false, true])('answers 500 to everything (listening: %p)', async (isListening) => {
    ran = 0
    const app = create?.(createTestPlugin().plugin)
    if (app === undefined) throw new Error('no such shape')
    const paths = ['/x', '/x/', '/nowhere']
    const ask = () => Promise.all(paths.map((path) => handle(app, path, { headers: PRESENT['admin token'] })))
    const overHttp = () =>
      withServer(app, (origin) => Promise.all(paths.map(async (path) => (await fetch(origin + path)).status)))
    const { result, log } = await withLog<readonly unknown[]>(async () =>
      isListening ? overHttp() : (await ask()).map(({ status }) => status),
    )
    expect(result).toEqual([500, 500, 500])
    expect(ran).toBe(0)
    expect(log[0]).toMatch(/GET \/x: '\w+' is not applied/)
  })
})

/** Shapes where a guard works although other options stand beside it. */
const APPLIED: Readonly<Record<string, (plugin: Plugin) => App>> = {
  'T4: module without the plugin, in an app with it': (plugin) =>
    new Elysia().use(plugin).use(new Elysia().get('/x', open, unchecked(GUARD))),
  'T4: group of a module without the plugin': (plugin) =>
    new Elysia().use(plugin).use(new Elysia().group('/x', unchecked(GUARD), (inner) => inner.get('', open))),
  'T4: module with the plugin, in an app without it': (plugin) =>
    new Elysia().use(new Elysia().use(plugin).get('/x', open, GUARD as { currentUser: true })),
  'T1: before a macro that yields nothing': (plugin) =>
    new Elysia().use(others()).use(plugin).get('/x', open, { currentUser: true, logged: true }),
  'a macro of the app that demands the guard': (plugin) =>
    new Elysia()
      .use(plugin)
      .macro({ mine: { currentUser: true } })
      .get('/x', open, { mine: true }),
  'options shared by two routes': (plugin) => {
    const shared = { currentUser: true } as const
    return new Elysia().use(plugin).get('/y', open, shared).get('/x', open, shared)
  },
  'a guarded block': (plugin) =>
    new Elysia().use(plugin).guard({ currentUser: true }, (inner) => inner.get('/x', open)),
}

/** Elysia by itself loses the guard in these. */
const LOST: Readonly<Record<string, (plugin: Plugin) => App>> = {
  'T1: an object macro given false before it': (plugin) =>
    new Elysia().use(others()).use(plugin).get('/x', open, { cached: false, currentUser: true }),
  'T1: an object macro given false before it, in a guard': (plugin) =>
    new Elysia().use(others()).use(plugin).guard({ cached: false, currentUser: true }).get('/x', open),
  'T1: an object macro given false before it, in a group': (plugin) =>
    new Elysia()
      .use(others())
      .use(plugin)
      .group('/x', { cached: false, currentUser: true }, (inner) => inner.get('', open)),
  'a macro given false before it': (plugin) =>
    new Elysia().use(others()).use(plugin).get('/x', open, { counted: false, currentUser: true }),
  'a macro given false after it': (plugin) =>
    new Elysia().use(others()).use(plugin).get('/x', open, { currentUser: true, counted: false }),
  'a macro given false on the block around it': (plugin) =>
    new Elysia()
      .use(others())
      .use(plugin)
      .guard({ counted: false }, (inner) => inner.get('/x', open, { currentUser: true })),
  'a macro given false beside it, in a group with hooks of its own': (plugin) =>
    new Elysia()
      .use(others())
      .use(plugin)
      .group('/x', (inner) => inner.derive(() => ({ a: 1 })).get('', open, { counted: false, currentUser: true })),
  'an unknown option that is off': (plugin) =>
    new Elysia().use(plugin).get('/x', open, unchecked({ other: false, currentUser: true })),
}

/** What Elysia loses here is refused where it is written. */
const LOST_BY_GUARD: Readonly<Record<string, (plugin: Plugin) => App>> = {
  'T1: `.guard` after a macro that yields nothing': (plugin) =>
    new Elysia().use(others()).use(plugin).guard({ logged: true, currentUser: true }).get('/x', open),
  'T1: `.guard` in a group, after a macro that yields nothing': (plugin) =>
    new Elysia()
      .use(others())
      .use(plugin)
      .group('/x', (inner) => inner.guard({ logged: true, currentUser: true }).get('', open)),
}

async function expectGuarded(app: App): Promise<void> {
  ran = 0
  expect(summary(await handle(app, '/x'))).toBe('401 credential_missing')
  expect(ran).toBe(0)
  expect((await handle(app, '/x', { headers: PRESENT['user token'] })).text).toBe('open')
}

test.each(Object.keys(APPLIED))('guards: %s', async (name) => {
  const app = APPLIED[name]?.(createTestPlugin().plugin)
  if (app === undefined) throw new Error('no such shape')
  await expectGuarded(app)
})

for (const [name, create] of Object.entries(LOST)) {
  test(`guards: ${name}`, () => expectGuarded(create(createTestPlugin().plugin)))
}

for (const [name, create] of Object.entries(LOST_BY_GUARD)) {
  test(`refuses: ${name}`, () => {
    expect(() => create(createTestPlugin().plugin)).toThrow(/currentUser/)
  })
}

describe('a WebSocket with an option that is off', () => {
  for (const options of [{ idleTimeout: 0 }, { perMessageDeflate: false }, { sendPings: false }]) {
    for (const order of ['before', 'after']) {
      test(`is guarded: ${JSON.stringify(options)} ${order} the guard`, async () => {
        const handlers = {
          open(ws: { send: (text: string) => unknown }) {
            ws.send('open')
          },
          message() {},
        }
        const app = new Elysia().use(createTestPlugin().plugin)
        if (order === 'before') app.ws('/x', { ...unchecked(options), currentUser: true, ...handlers })
        else app.ws('/x', { currentUser: true, ...unchecked(options), ...handlers })
        const answers = await withServer(app, (origin) =>
          Promise.all([openSocket(origin, '/x'), openSocket(origin, '/x', PRESENT['user token'])]),
        )
        expect(answers).toEqual([null, 'open'])
      })
    }
  }
})
