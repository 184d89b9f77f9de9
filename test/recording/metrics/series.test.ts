/** However much happens, the text stays as it is: bounded, without a secret, and of one core alone. */
import { describe, expect, test } from 'bun:test'
import { changes, scrape } from '../../support/metrics.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  createTestApp,
  createTestCore,
  MASTER_KEY,
  PASSWORD,
  SECRET,
  withKey,
} from '../../support/test-app.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'PURGE']

describe('a flood', () => {
  test('of a thousand routes, methods and keys makes no new series', async () => {
    await using app = await createTestApp({
      protect: [{ path: '/guarded/*', require: { apiKey: true } }],
      usage: { flushInterval: '1h' },
    })
    const { headers } = await addKey(app)
    await app.ask('/guarded/first', { headers })
    await app.ask('/guarded/first', { headers: withKey('nonsense') })
    const before = await scrape(app)
    const asked = Array.from({ length: 1000 }, (_, index) =>
      app.ask(`/guarded/${index}?${index}`, {
        method: METHODS[index % METHODS.length] ?? 'GET',
        headers: index % 2 === 0 ? headers : { ...withKey(`nonsense${index}`), 'user-agent': `agent ${index}` },
      }),
    )
    await Promise.all(asked)
    const after = await scrape(app)
    expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted())
    expect(changes(before, after, 'requests_total', 'denials_total')).toEqual({
      'requests_total{outcome="rejected"}': 500,
      'requests_total{outcome="denied"}': 500,
      'denials_total{code="api_key_invalid"}': 500,
    })
  })
})

describe('the text', () => {
  test('holds no credential, id or address', async () => {
    await using app = await createTestApp()
    const { alice } = await addPeople(app)
    const key = await addKey(app, { userId: alice.id })
    const { pair, headers } = await addTokens(app, alice.id)
    const session = await addSession(app, alice.id)
    for (const each of [key.headers, headers, session.headers]) await app.ask('/user', { headers: each })
    const text = (await app.core.metrics?.text()) ?? ''
    const secrets = [
      key.rawKey,
      pair.access_token,
      pair.refresh_token,
      session.cookieValue,
      MASTER_KEY,
      SECRET,
      PASSWORD,
    ]
    for (const secret of [...secrets, key.id, alice.id, alice.email, '127.0.0.1', '/user']) {
      expect(text.includes(secret)).toBe(false)
    }
  })

  test('is of a bounded size with everything switched on', async () => {
    await using app = await createTestApp({ logging: { mode: 'metadata_only' } })
    await addPeople(app)
    await app.ask('/auth/login', { body: { email: 'alice@example.com', password: 'wrong' } })
    expect((await app.core.metrics?.text())?.length).toBeLessThan(50_000)
  })

  test('counts nothing twice when it is asked for twice, and counts on between', async () => {
    await using app = await createTestApp()
    const denied = async () => (await scrape(app)).get('machine_auth_requests_total{outcome="denied"}')
    await app.ask('/key')
    expect([await denied(), await denied()]).toEqual([1, 1])
    await app.ask('/key')
    expect(await denied()).toBe(2)
  })

  test('names the version of the package and of Bun', async () => {
    await using app = await createTestApp()
    const { version } = await import('../../../package.json')
    const series = `machine_auth_build_info{version="${version}",runtime="bun",runtime_version="${Bun.version}"}`
    expect((await scrape(app)).get(series)).toBe(1)
  })

  test('tells of the process what is so', async () => {
    await using app = await createTestApp()
    const series = await scrape(app)
    const value = (name: string) => series.get(name) ?? Number.NaN
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(value('process_resident_memory_bytes')).toBeLessThan(20_000_000_000)
    expect(Math.abs(value('process_start_time_seconds') + process.uptime() - Date.now() / 1000)).toBeLessThan(5)
    if (process.platform !== 'linux') return
    expect(value('process_open_fds')).toBeGreaterThan(2)
    expect(value('process_max_fds')).toBeGreaterThan(value('process_open_fds'))
  })

  test('has a row for each bound of a histogram, that counts the ones before', async () => {
    await using app = await createTestApp()
    const { headers } = await addKey(app)
    for (let asked = 0; asked < 3; asked++) await app.ask('/key', { headers })
    const rows = [...(await scrape(app))].filter(([name]) => name.startsWith('machine_auth_request_duration_seconds_b'))
    const counts = rows.map(([, count]) => count)
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(rows[0]?.[0]).toBe('machine_auth_request_duration_seconds_bucket{le="0.0001"}')
    expect(rows.at(-1)).toEqual(['machine_auth_request_duration_seconds_bucket{le="+Inf"}', 3])
  })
})

describe('two cores of a process', () => {
  test('count apart', async () => {
    await using first = await createTestApp()
    await using second = await createTestApp()
    await first.ask('/key')
    const outcome = 'machine_auth_requests_total{outcome="denied"}'
    expect([(await scrape(first)).get(outcome), (await scrape(second)).get(outcome)]).toEqual([1, 0])
  })

  test('leave the registry of an app that has metrics of its own alone', async () => {
    const { register } = await import('prom-client')
    await using app = await createTestApp()
    await scrape(app)
    expect(await register.metrics()).toBe('\n')
  })
})

describe('metrics: false', () => {
  test('measures nothing', async () => {
    const { core } = createTestCore({ metrics: false })
    expect(core.metrics).toBeNull()
    await core.close()
  })
})
