/** A key's limits bind the keys that are made with it. */
import { expect, test } from 'bun:test'
import type { Actor, KeyLimits } from '../../src/authorization/actor.ts'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import type { NewApiKey } from '../../src/keys/new-key.ts'
import { expectRefused } from '../support/refusals.ts'
import { createServices, START } from '../support/services.ts'

const actorBy = (apiKey: KeyLimits): Actor => ({
  id: 'key_actor',
  organizationId: null,
  user: null,
  granted: PermissionSet.ALL,
  apiKey,
})

const FREE: KeyLimits = { environment: 'live', ipAllowlist: [] }
const TEST: KeyLimits = { environment: 'test', ipAllowlist: [] }
const [SOONER, EXPIRY, LATER] = [1, 2, 3].map((days) => new Date(START + days * 86_400_000).toISOString()) as [
  string,
  string,
  string,
]
const EXPIRING: KeyLimits = { ...FREE, expiresAt: EXPIRY }
const RATED: KeyLimits = { ...FREE, rateLimit: { limit: 100, window: '1m' } }
const METERED: KeyLimits = { ...FREE, monthlyQuota: 1000 }
const COUNTED: KeyLimits = { ...FREE, credits: { remaining: 5 } }
const BOUND: KeyLimits = { environment: 'live', ipAllowlist: ['10.0.0.0/8', '2001:db8::/32'] }

const passed: [string, KeyLimits, Partial<NewApiKey>, Partial<KeyLimits>][] = [
  ['no limit', FREE, {}, FREE],
  ['the environment', TEST, {}, TEST],
  ['less than a live key may', FREE, { environment: 'test' }, TEST],
  ['the addresses', BOUND, {}, BOUND],
  ['the addresses, for an empty list', BOUND, { ipAllowlist: [] }, BOUND],
  ['the expiry', EXPIRING, {}, EXPIRING],
  ['an earlier expiry', EXPIRING, { expiresAt: SOONER }, { ...FREE, expiresAt: SOONER }],
  ['the rate', RATED, {}, RATED],
  ['a lower rate', RATED, { rateLimit: { limit: 1, window: '1s' } }, { rateLimit: { limit: 1, window: '1s' } }],
  ['any rate of a key without one', FREE, { rateLimit: { limit: 1_000_000, window: '1s' } }, FREE],
  ['the monthly quota', METERED, {}, METERED],
  ['a smaller monthly quota', METERED, { monthlyQuota: 999 }, { ...FREE, monthlyQuota: 999 }],
  ['some of the addresses', BOUND, { ipAllowlist: ['10.1.0.0/16'] }, { ...FREE, ipAllowlist: ['10.1.0.0/16'] }],
]
test.each(passed)('%s is passed on', async (_, limits, input, expected) => {
  const { key } = await createServices().keys.create({ name: 'x', ...input }, actorBy(limits))
  expect(key).toMatchObject(expected)
})

const refused: [string, KeyLimits, Partial<NewApiKey>][] = [
  ['a live key by a test key', TEST, { environment: 'live' }],
  ['other addresses', BOUND, { ipAllowlist: ['10.1.0.0/16', '192.0.2.1'] }],
  ['a wider range', BOUND, { ipAllowlist: ['8.0.0.0/6'] }],
  ['a later expiry', EXPIRING, { expiresAt: LATER }],
  ['more in the window', RATED, { rateLimit: { limit: 101, window: '1m' } }],
  ['more at once, though no faster', RATED, { rateLimit: { limit: 101, window: '2m' } }],
  ['the same in a shorter window', RATED, { rateLimit: { limit: 100, window: '59s' } }],
  ['a larger monthly quota', METERED, { monthlyQuota: 1001 }],
  ['any key by one with a number of uses', COUNTED, {}],
  ['everything of the other family', BOUND, { ipAllowlist: ['::/0'] }],
]
test.each(refused)('%s is refused', async (_, limits, input) => {
  const services = createServices()
  await expectRefused(services.keys.create({ name: 'x', ...input }, actorBy(limits)), 'permission_required')
  expect(services.memory.rows.keys.size).toBe(0)
})

test('a limited key makes no token, which would be without its limits', async () => {
  const { tokens } = createServices()
  for (const limits of [TEST, BOUND, EXPIRING, RATED, METERED, COUNTED]) {
    await expectRefused(tokens.bearer.create({ name: 'x' }, actorBy(limits)), 'permission_required')
    await expectRefused(tokens.issueForClient({}, actorBy(limits)), 'permission_required')
  }
  expect((await tokens.bearer.create({ name: 'x' }, actorBy(FREE))).token.name).toBe('x')
})
