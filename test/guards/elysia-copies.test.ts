/**
 * Apps that may not know the status that a hook of ours returns: those of the other copy of Elysia that a process can
 * hold, as one that is written in CommonJS is, and those that have a `status` of their own. There too, whoever is refused
 * never comes to the handler.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createRequire } from 'node:module'
import { Elysia } from 'elysia'
import { createTestPlugin } from '../support/guarded-app.ts'
import { ask, expectRefusal, JSON_TYPE, PRESENT } from './support.ts'

const load = createRequire(import.meta.url)
const { Elysia: OtherElysia } = load('elysia') as { readonly Elysia: typeof Elysia }

let handled = 0
function handle(): string {
  handled += 1
  return 'handled'
}

const makeStatus = (code: number) => ({ code })

const APPS: Readonly<Record<string, () => Elysia>> = {
  'of the other copy': () => new OtherElysia(),
  'of the other copy, used by one of ours': () => new Elysia().use(new OtherElysia()) as unknown as Elysia,
  'with a `status` that it decorates': () => new Elysia().decorate('status', makeStatus) as unknown as Elysia,
  'with a `status` that it derives': () =>
    new Elysia().derive({ as: 'global' }, () => ({ status: makeStatus })) as unknown as Elysia,
  'with a `status` that is no function': () =>
    new Elysia().derive({ as: 'global' }, () => ({ status: 'active' })) as unknown as Elysia,
}

test('there is another copy', () => {
  expect(OtherElysia).not.toBe(Elysia)
})

describe.each(Object.keys(APPS))('an app %s', (name) => {
  const app = (APPS[name] ?? (() => new Elysia()))()
    .use(createTestPlugin().plugin)
    .get('/key', handle, { apiKey: true })
    .post('/body', handle, { apiKey: true })
    .get('/limited', handle, { rateLimit: { limit: 1, window: '1h' } })
    .get('/asked', async ({ auth }) => {
      await auth.apiKey()
      return handle()
    })
  let origin = ''
  beforeAll(() => {
    app.listen({ port: 0, hostname: '127.0.0.1' })
    origin = `http://127.0.0.1:${app.server?.port}`
  })
  afterAll(() => app.stop(true))
  beforeEach(() => {
    handled = 0
  })

  test.each([
    ['no credential', '/key', {}, 'credential_missing'],
    ['a wrong key', '/key', { headers: PRESENT['wrong key'] }, 'api_key_invalid'],
    ['no credential but a body', '/body', { method: 'POST', body: '{}', headers: JSON_TYPE }, 'credential_missing'],
    ['a handler that asks', '/asked', {}, 'credential_missing'],
  ] as const)('%s is refused before the handler', async (_, path, init, code) => {
    expectRefusal(await ask(origin + path, init), 401, code)
    expect(handled).toBe(0)
  })

  test('so is what is over a limit', async () => {
    expect((await ask(`${origin}/limited`)).text).toBe('handled')
    expectRefusal(await ask(`${origin}/limited`), 429, 'rate_limited')
    expect(handled).toBe(1)
  })

  test('a right key is let in', async () => {
    expect((await ask(`${origin}/key`, { headers: PRESENT.key })).text).toBe('handled')
  })
})
