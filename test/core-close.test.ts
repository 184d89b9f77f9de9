/** A core ends whatever becomes of its database, once, and what was recorded is written before. */
import { describe, expect, test } from 'bun:test'
import { internalsOfCore } from '../src/core-internals.ts'
import { createMachineAuth } from '../src/index.ts'
import type { Storage } from '../src/storage/ports.ts'
import { createMemoryStorage } from './support/memory-storage.ts'
import { createTestApp, createTestCore, SECRET } from './support/test-app.ts'

const never = () => new Promise<never>(() => undefined)

/** A store of which every verb hangs from when it is told to. */
function createHanging() {
  const state = { hangs: false, asked: 0 }
  const hang = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...given: unknown[]) => {
          if (!state.hangs || name === 'version') return member.apply(target, given)
          state.asked += 1
          return never()
        }
      },
    })
  const storage = createMemoryStorage()
  const ports = Object.entries(storage).map(([name, port]) => [
    name,
    typeof port === 'object' && port !== null ? hang(port) : port,
  ])
  // The same store, port by port.
  const hanging = { ...storage, ...Object.fromEntries(ports) } as Storage
  const root: Storage = {
    ...hanging,
    ping: () => (state.hangs ? never() : storage.ping()),
    close: () => (state.hangs ? never() : storage.close()),
  }
  return { state, storage: root }
}

function createHangingCore() {
  const { state, storage } = createHanging()
  const warnings: string[] = []
  const core = createMachineAuth(
    { database: { storage: () => storage }, secret: SECRET, docs: false },
    { env: {}, warn: (message) => warnings.push(message) },
  )
  return { state, core, warnings, ...internalsOfCore(core).stoppable }
}

describe('close()', () => {
  test('comes to an end when no verb of the database answers any more', async () => {
    const { state, core, warnings, life, close } = createHangingCore()
    await core.ready
    state.hangs = true
    await close(20)
    expect(life.state).toBe('closed')
    expect(warnings).toContain('Closing the database took too long, and was not waited for')
  })

  test('comes to an end when the database has never answered', async () => {
    const { state, life, close, warnings } = createHangingCore()
    state.hangs = true
    await close(20)
    expect(life.state).toBe('closed')
    expect(warnings).toContain('Starting up took too long, and was not waited for')
  })

  test('is one, however often it is called', async () => {
    const { core } = createTestCore()
    await core.ready
    const { life } = internalsOfCore(core).stoppable
    const [first, second] = [core.close(), core.close()]
    expect(life.state).toBe('draining')
    await Promise.all([first, second, core[Symbol.asyncDispose]()])
    expect(life.state).toBe('closed')
    await core.close()
    expect(life.state).toBe('closed')
  })

  test('waits for the start that is under way', async () => {
    const { core, warnings } = createTestCore()
    const { life } = internalsOfCore(core).stoppable
    await core.close()
    await core.ready
    expect([life.state, warnings]).toEqual(['closed', []])
  })

  test('writes what was counted of requests', async () => {
    await using t = await createTestApp()
    const { key, rawKey } = await t.core.keys.create({ name: 'CI' })
    for (let count = 0; count < 3; count += 1) await t.ask('/key', { headers: { 'x-api-key': rawKey } })
    await t.core.close()
    const rows = t.client
      .query<{ total: number }, [string]>(
        "select sum(requests) as total from machine_auth_usage where key_id = ? and period = 'hour'",
      )
      .get(key.id)
    expect(rows?.total).toBe(3)
  })
})
