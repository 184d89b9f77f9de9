/** A slow look-up that began before a revocation and ends after it does not bring the credential back. */
import { describe, expect, test } from 'bun:test'
import { scrape } from '../support/metrics.ts'
import { createTestCore } from '../support/test-app.ts'
import { until } from '../support/until.ts'
import { createApp, KINDS, type Kind, type OutageApp, type Presented, TTL } from './support.ts'

/** Where it is revoked, and when this process knows. */
interface Place {
  readonly name: string
  revoke(t: OutageApp, credential: Presented, kind: Kind): Promise<void>
}

const PLACES: readonly Place[] = [
  {
    name: 'in this process',
    async revoke({ core }, credential) {
      await credential.revoke(core)
    },
  },
  {
    name: 'in another process',
    async revoke(t, credential, { cache }) {
      const { core } = createTestCore({ database: { storage: () => t.memory } })
      await core.ready
      await credential.revoke(core)
      const series = `machine_auth_cache_entries{cache="${cache}"}`
      await until(async () => (await scrape(t)).get(series) === 0)
      await core.close()
    },
  },
]

describe.each([...PLACES])('revoked $name', (place) => {
  test.each([...KINDS])('$name', async (kind) => {
    await using t = await createApp(kind.options)
    const credential = await kind.make(t)
    const { path, headers } = credential
    const ask = async () => (await t.ask(path, { headers })).said
    expect(await ask()).toBe('200')

    t.pass(TTL)
    const read = t.outage.hold(kind.verb)
    const early = ask()
    await read.reached
    await place.revoke(t, credential, kind)
    read.release()
    // It came before the revocation.
    expect(await early).toBe('200')

    expect(await ask()).toBe(kind.refused)
    t.outage.isAway = true
    // So long what was wrong is not asked for again.
    t.pass(1000)
    expect(await ask()).toBe('503 storage_unavailable')
  })
})
