import { afterAll, beforeAll, describe, expect, jest, test } from 'bun:test'
import type { Change } from '../../src/cluster/change-bell.ts'
import { ListenBell } from '../../src/cluster/listen-bell.ts'
import { createMachineAuth } from '../../src/core.ts'
import type { Listen, ListenState } from '../../src/storage/listen.ts'
import { type OpenedStorage, openStorage } from '../../src/storage/open.ts'
import { SECRET } from '../options/support.ts'
import { isPostgresInstalled, startPostgres } from '../support/servers/postgres.ts'
import { askPostgres } from '../support/servers/postgres-process.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { until } from '../support/until.ts'
import { createGarbage, required } from './support.ts'

const dispose = createGarbage()

function createBell(listen: Listen | null) {
  if (listen === null) throw new Error('nothing to listen to')
  const heard: Change[] = []
  const warnings: string[] = []
  const bell = dispose(new ListenBell({ listen, warn: (message) => warnings.push(message) }))
  return { bell, heard, warnings, start: () => bell.start((change) => heard.push(change)) }
}

describe('a bell by LISTEN', () => {
  /** What LISTEN is asked for, answered by hand. */
  function createListen() {
    const state = { asked: 0, ended: 0, hear: (_payload: string) => {}, fails: false }
    const gate = Promise.withResolvers<void>()
    const listen: Listen = async (hear) => {
      state.asked += 1
      state.hear = hear
      if (state.fails) throw new Error('away')
      await gate.promise
      return async () => {
        state.ended += 1
      }
    }
    return { state, listen, open: gate.resolve }
  }

  test('passes on what is a change, and ignores all else', async () => {
    const { state, listen, open } = createListen()
    const { bell, heard, start } = createBell(listen)
    open()
    start()
    await until(() => bell.isHeard)
    for (const payload of ['', 'x', 'key', 'nothing k1', `key ${'k'.repeat(300)}`, 'key k1']) state.hear(payload)
    expect(heard).toEqual([{ kind: 'key', subject: 'k1' }])
    await bell.stop()
    state.hear('key k2')
    expect([heard.length, state.ended, bell.isHeard]).toEqual([1, 1, false])
  })

  test('tries again when it fails, says so once, and says that it hears again', async () => {
    const { state, listen, open } = createListen()
    const { bell, warnings, start } = createBell(listen)
    open()
    state.fails = true
    start()
    await until(() => state.asked === 3)
    expect([warnings.length, bell.isHeard]).toEqual([1, false])
    state.fails = false
    await until(() => bell.isHeard)
    expect(warnings).toEqual([expect.stringContaining('does not tell'), expect.stringContaining('again (LISTEN)')])
  })

  test('is not heard while its connection is lost, and listens anew when it ended', async () => {
    let onState: (state: ListenState) => void = () => undefined
    let asked = 0
    const { bell, warnings, start } = createBell(async (_hear, hears) => {
      asked += 1
      onState = hears ?? onState
      return async () => undefined
    })
    start()
    await until(() => bell.isHeard)
    onState('lost')
    expect(bell.isHeard).toBeFalse()
    onState('heard')
    expect(bell.isHeard).toBeTrue()
    onState('ended')
    expect(bell.isHeard).toBeFalse()
    await until(() => bell.isHeard)
    expect([asked, warnings]).toEqual([2, []])
  })

  test('that is stopped while it fails tries no more', async () => {
    const { state, listen } = createListen()
    const { bell, warnings, start } = createBell(listen)
    jest.useFakeTimers()
    try {
      state.fails = true
      start()
      while (warnings.length === 0) await Promise.resolve()
      await bell.stop()
      jest.advanceTimersByTime(60_000)
      expect(state.asked).toBe(1)
    } finally {
      jest.useRealTimers()
    }
  })

  test('does not wait for a database that does not answer, and listens no more when it does', async () => {
    const { state, listen, open } = createListen()
    const { bell, start } = createBell(listen)
    start()
    const begun = performance.now()
    await bell.stop()
    expect(performance.now() - begun).toBeLessThan(1500)
    open()
    await until(() => state.ended === 1)
    expect(bell.isHeard).toBeFalse()
  })

  test('has nothing to ring', () => {
    const { listen, state } = createListen()
    const { bell } = createBell(listen)
    expect(() => bell.ring({ kind: 'key', subject: 'k1' })).not.toThrow()
    expect(state.asked).toBe(0)
  })
})

describe('a bell by LISTEN on PostgreSQL', () => {
  if (!isPostgresInstalled && !required) {
    test.skip('is not installed (REQUIRE_SERVICES=1 makes this a failure)', () => undefined)
    return
  }

  let server: PrivateServer
  let writer: OpenedStorage
  let reader: OpenedStorage
  beforeAll(async () => {
    server = await startPostgres()
    writer = openStorage(server.url, { migrate: 'auto', notify: true })
    await writer.ready
    reader = openStorage(server.url, { migrate: 'check', notify: true })
    await reader.ready
  }, 60_000)
  afterAll(async () => {
    await Promise.all([writer.storage.close(), reader.storage.close()])
    await server.stop()
  }, 60_000)

  const put = (name: string) => writer.storage.roles.put({ name, permissions: [], inherits: [] }, Date.now())
  let count = 0
  /** Writes at each look, until it was heard. */
  async function untilHeard(heard: readonly Change[]): Promise<void> {
    const before = heard.length
    await until(async () => {
      count += 1
      await put(`role-${count}`).catch(() => undefined)
      await Bun.sleep(20)
      return heard.length > before
    }, 30_000)
  }

  test('hears what another process committed, in its order', async () => {
    const { bell, heard, start } = createBell(reader.listen)
    start()
    await until(() => bell.isHeard)
    for (const name of ['one', 'two', 'three']) await put(name)
    await until(() => heard.length === 3)
    expect(heard).toEqual(['one', 'two', 'three'].map((subject) => ({ kind: 'role', subject })))
  }, 30_000)

  test('is measured by a core, and no figure of Redis is beside it', async () => {
    await using core = createMachineAuth({ database: server.url, secret: SECRET })
    await core.ready
    const figures = async () =>
      (await core.metrics?.text())?.match(/^machine_auth_(redis|change_bell|shared)\S* \S+$/gm)
    await until(async () => (await figures())?.[0] === 'machine_auth_change_bell_up 1')
    expect(await figures()).toHaveLength(1)
    await server.kill()
    await until(async () => (await figures())?.[0] === 'machine_auth_change_bell_up 0')
    await server.start()
  }, 60_000)

  test('hears again when its connection was ended', async () => {
    const { bell, heard, start } = createBell(reader.listen)
    start()
    await until(() => bell.isHeard)
    await askPostgres(server.url, "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'")
    await untilHeard(heard)
  }, 60_000)

  test('hears again when the server was killed and started', async () => {
    const { bell, heard, start } = createBell(reader.listen)
    start()
    await until(() => bell.isHeard)
    await server.kill()
    await until(() => !bell.isHeard)
    await server.start()
    await until(() => bell.isHeard, 30_000)
    await untilHeard(heard)
  }, 60_000)

  test('begins to hear when the server is there at last', async () => {
    await server.kill()
    const { bell, heard, warnings, start } = createBell(reader.listen)
    start()
    await until(() => warnings.length === 1)
    expect(bell.isHeard).toBeFalse()
    await server.start()
    await until(() => bell.isHeard, 30_000)
    await untilHeard(heard)
  }, 60_000)
})
