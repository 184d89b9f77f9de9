/** How apps and their core are stopped, and what of Elysia and Bun it rests on. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { internalsOfCore } from '../../src/core-internals.ts'
import { machineAuth } from '../../src/index.ts'
import { Life } from '../../src/life/life.ts'
import { type StoppableApp, type StoppableServer, stopServing } from '../../src/life/stopping.ts'
import { createTestCore } from '../support/test-app.ts'

/** An app whose server ends by itself when it is let, and notes how it was stopped. */
function createServed({ requests = 0, sockets = 0 } = {}) {
  const calls: string[] = []
  const idle = Promise.withResolvers<void>()
  const server: StoppableServer = {
    pendingRequests: requests,
    pendingWebSockets: sockets,
    stop(force) {
      calls.push(force === true ? 'cut' : 'no more')
      return force === true ? Promise.resolve() : idle.promise
    },
  }
  const app: StoppableApp = {
    server,
    stop: async () => void calls.push('onStop'),
  }
  return { app, calls, end: () => idle.resolve() }
}

function createCore(timeout: number) {
  const patiences: (number | undefined)[] = []
  const life = new Life()
  const close = async (patience?: number) => void patiences.push(patience)
  return { core: { life, close, timing: { delay: 0, timeout } }, life, patiences }
}

describe('stopping', () => {
  test('lets requests end, and gives the time that they leave to the core', async () => {
    const { core, patiences } = createCore(60_000)
    const { app, calls, end } = createServed({ requests: 1 })
    end()
    await stopServing(core, [app])
    expect(calls).toEqual(['no more', 'cut', 'onStop'])
    expect(patiences[0]).toBeGreaterThan(50_000)
  })

  test('cuts what takes longer than it may, and closes the core in a second then', async () => {
    const { core, patiences } = createCore(30)
    const { app, calls } = createServed({ requests: 1 })
    await stopServing(core, [app])
    expect(calls).toEqual(['no more', 'cut', 'onStop'])
    expect(patiences).toEqual([1000])
  })

  test('does not wait for WebSockets alone', async () => {
    const { core } = createCore(60_000)
    const { app, calls } = createServed({ sockets: 3 })
    await stopServing(core, [app])
    expect(calls).toEqual(['no more', 'cut', 'onStop'])
  })

  test('is one for however many ask, and refuses readiness at once', async () => {
    const { core, life, patiences } = createCore(0)
    const { app, calls, end } = createServed()
    end()
    const stopping = stopServing(core, [app])
    expect(life.state).toBe('draining')
    expect(stopServing(core, [])).toBe(stopping)
    await stopping
    expect([calls, patiences.length]).toEqual([['no more', 'cut', 'onStop'], 1])
  })
})

describe('an app of a process', () => {
  const listeners = () => (['SIGTERM', 'SIGINT'] as const).map((signal) => process.listenerCount(signal))

  test('is heard of once for all, and not at all when it has stopped', async () => {
    const before = listeners()
    const { core } = createTestCore()
    await core.ready
    const apps = Array.from({ length: 12 }, () => new Elysia().use(machineAuth(core)).listen({ port: 0 }))
    for (const [index, count] of listeners().entries()) expect(count - (before[index] ?? 0)).toBeLessThanOrEqual(1)
    await Promise.all(apps.map((app) => app.stop(true)))
    expect(listeners()).toEqual(before)
    await core.close()
  })

  test('runs its own onStop once, and keeps no connection', async () => {
    const { core } = createTestCore()
    await core.ready
    let stops = 0
    const app = new Elysia()
      .use(machineAuth(core))
      .get('/open', () => 'open', { public: true })
      .onStop(() => {
        stops += 1
      })
      .listen({ port: 0, hostname: '127.0.0.1' })
    const url = `http://127.0.0.1:${app.server?.port}/open`
    expect((await fetch(url)).status).toBe(200)
    await stopServing(internalsOfCore(core).stoppable, [app])
    expect([stops, app.server]).toEqual([1, null])
    expect(fetch(url)).rejects.toThrow()
  })
})
