/** Limits with functions that another function has made: of one source, and not the same. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { RouteAuditError } from '../../src/guards/audit.ts'
import type { LimitContext, RateLimitInput } from '../../src/options/limit-types.ts'
import { createTestPlugin } from '../support/guarded-app.ts'
import { LIMITED, PROXIED } from '../support/limited.ts'
import { createTestApp } from '../support/test-app.ts'

const open = () => 'open'
const byHeader = (header: string) => (context: LimitContext) => context.request.headers.get(header) ?? 'none'
const costs = (units: number) => () => units
const ONCE = { limit: 1, window: '1m' } as const
const EVERYWHERE = { ...ONCE, scope: 'global' } as const
const same = byHeader('x-same')

/** Declares two routes, and audits them. */
function audit(one: RateLimitInput, other: RateLimitInput): void {
  const { plugin, engine } = createTestPlugin()
  new Elysia().use(plugin).get('/one', open, { rateLimit: one }).post('/other', open, { rateLimit: other })
  engine.routes.audit()
}

describe('two routes whose limits count globally, without names', () => {
  test.each<[name: string, one: RateLimitInput, other: RateLimitInput]>([
    ['twins that tell who comes', { ...EVERYWHERE, by: byHeader('x-a') }, { ...EVERYWHERE, by: byHeader('x-b') }],
    ['twins of the cost', { ...EVERYWHERE, cost: costs(1) }, { ...EVERYWHERE, cost: costs(2) }],
    [
      'twins of a cap',
      { concurrent: 1, scope: 'global', by: byHeader('x-a') },
      [
        { limit: 5, window: '1m' },
        { concurrent: 1, scope: 'global', by: byHeader('x-b') },
      ],
    ],
  ])('%s are refused', (_, one, other) => {
    expect(() => audit(one, other)).toThrow(RouteAuditError)
    expect(() => audit(one, other)).toThrow(
      'POST /other: its global limit has another function of the same source as that of GET /one: give both a name',
    )
  })

  test.each<[name: string, one: RateLimitInput, other: RateLimitInput]>([
    ['the same function', { ...EVERYWHERE, by: same }, { ...EVERYWHERE, by: same }],
    ['functions of other sources', { ...EVERYWHERE, by: () => 'a' }, { ...EVERYWHERE, by: () => 'b' }],
    ['other limits', { ...EVERYWHERE, by: byHeader('x-a') }, { ...EVERYWHERE, limit: 2, by: byHeader('x-b') }],
    ['names', { ...EVERYWHERE, by: byHeader('x-a'), name: 'x' }, { ...EVERYWHERE, by: byHeader('x-b'), name: 'x' }],
    ['paths of their own', { ...ONCE, by: byHeader('x-a') }, { ...ONCE, by: byHeader('x-b') }],
    ['no functions', EVERYWHERE, EVERYWHERE],
  ])('are taken with %s', (_, one, other) => {
    expect(() => audit(one, other)).not.toThrow()
  })
})

test('of a group and its route each counts', async () => {
  await using t = await createTestApp(PROXIED, (app) =>
    app.group('/group', { rateLimit: { ...ONCE, by: byHeader('x-a') } }, (inner) =>
      inner
        .get('/twin', open, { rateLimit: { ...ONCE, by: byHeader('x-b') } })
        .get('/other', open, { rateLimit: { ...ONCE, by: byHeader('x-b') } }),
    ),
  )
  const ask = async (path: string, a: string, b: string) =>
    (await t.ask(path, { headers: { 'x-a': a, 'x-b': b } })).said
  for (const path of ['/group/twin', '/group/other']) {
    expect(await ask(path, '1', '1')).toBe('200')
    expect(await ask(path, '1', '2')).toBe(LIMITED)
    expect(await ask(path, '2', '1')).toBe(LIMITED)
    expect(await ask(path, '2', '2')).toBe('200')
  }
})
