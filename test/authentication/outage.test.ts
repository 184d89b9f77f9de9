/** While the database is away, credentials that were verified lately are served, and nobody else. */
import { describe, expect, test } from 'bun:test'
import { expectProblem } from '../support/answers.ts'
import { scrape } from '../support/metrics.ts'
import { createTestCore } from '../support/test-app.ts'
import { until } from '../support/until.ts'
import { createApp, KINDS, type Kind, type OutageApp, STALENESS, TTL } from './support.ts'

async function warmUp(kind: Kind, t: OutageApp) {
  const credential = await kind.make(t)
  const { path, headers } = credential
  const ask = () => t.ask(path, { headers })
  expect((await ask()).said).toBe('200')
  t.outage.isAway = true
  const takeLookups = () => t.outage.asked.splice(0).filter((verb) => verb === kind.verb).length
  return { credential, ask, takeLookups }
}

describe.each([...KINDS])('$name', (kind) => {
  test('is served without a question while it is fresh, then asked for once a second', async () => {
    await using t = await createApp(kind.options)
    const { ask, takeLookups } = await warmUp(kind, t)
    const served = async () => [(await ask()).said, takeLookups()]
    expect(await served()).toEqual(['200', 0])
    t.pass(TTL - 1)
    expect(await served()).toEqual(['200', 0])
    t.pass(1)
    expect(await served()).toEqual(['200', 1])
    t.pass(999)
    expect(await served()).toEqual(['200', 0])
    t.pass(1)
    expect(await served()).toEqual(['200', 1])
  })

  test('is refused once it was verified too long ago, and served when the database is back', async () => {
    await using t = await createApp(kind.options)
    const { ask } = await warmUp(kind, t)
    t.pass(STALENESS - 1)
    expect((await ask()).said).toBe('200')
    t.pass(1)
    const refused = await ask()
    expectProblem(refused, 'storage_unavailable', ['retryAfter'])
    expect([refused.headers.get('retry-after'), refused.json.retryable]).toEqual(['1', true])
    t.outage.isAway = false
    expect((await ask()).said).toBe('200')
    t.outage.isAway = true
    expect((await ask()).said).toBe('200')
  })

  test('is not served once it was taken back elsewhere, as far as that was heard', async () => {
    await using t = await createApp(kind.options)
    const { ask, credential } = await warmUp(kind, t)
    t.outage.spared.add('changes.since').add('changes.prune')
    const { core } = createTestCore({ database: { storage: () => t.memory }, ...kind.options })
    await core.ready
    await credential.revoke(core)
    await until(async () => (await scrape(t)).get(`machine_auth_cache_entries{cache="${kind.cache}"}`) === 0)
    await core.close()
    expect((await ask()).said).toBe('503 storage_unavailable')
    t.outage.isAway = false
    expect((await ask()).said).toBe(kind.refused)
  })

  test('is not served once the database has refused it', async () => {
    await using t = await createApp(kind.options)
    const { ask, credential } = await warmUp(kind, t)
    t.outage.isAway = false
    const { core } = createTestCore({ database: { storage: () => t.memory }, ...kind.options })
    await core.ready
    // Nothing is heard of it: only the look-up says so.
    const unheard = t.outage.hold('changes.since')
    await credential.revoke(core)
    await core.close()
    t.pass(TTL)
    expect((await ask()).said).toBe(kind.refused)
    t.outage.isAway = true
    // So long what was wrong is not asked for again.
    t.pass(1000)
    expect((await ask()).said).toBe('503 storage_unavailable')
    unheard.release()
  })

  test('counts what is served so', async () => {
    await using t = await createApp(kind.options)
    const { ask } = await warmUp(kind, t)
    const stale = async () => (await scrape(t)).get(`machine_auth_cache_stale_total{cache="${kind.cache}"}`)
    await ask()
    expect(await stale()).toBe(0)
    t.pass(TTL)
    await ask()
    await ask()
    expect(await stale()).toBe(2)
    await Promise.all([ask(), ask()])
    expect(await stale()).toBe(4)
    t.outage.isAway = false
    t.pass(1000)
    await ask()
    await ask()
    expect(await stale()).toBe(4)
  })

  test('is refused at once without staleness', async () => {
    await using t = await createApp({ ...kind.options, cluster: { staleness: '0s' } })
    const { ask } = await warmUp(kind, t)
    t.pass(TTL - 1)
    expect((await ask()).said).toBe('200')
    t.pass(1)
    expect((await ask()).said).toBe('503 storage_unavailable')
  })
})

test('nothing is believed that was not to be remembered', async () => {
  const [kind] = KINDS
  if (kind === undefined) throw new Error('no kinds')
  await using t = await createApp({ apiKeys: { cacheTtl: '0s', defaultRateLimit: false } })
  const { ask } = await warmUp(kind, t)
  expect((await ask()).said).toBe('503 storage_unavailable')
})
