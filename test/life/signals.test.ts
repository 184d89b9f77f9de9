/** What a process does on signals; what it takes to stop a real server is shown by `stopping.test.ts`. */
import { describe, expect, test } from 'bun:test'
import { EventEmitter } from 'node:events'
import { Life } from '../../src/life/life.ts'
import { SignalHandler, type SignalledProcess, type StopSignal } from '../../src/life/signals.ts'
import type { Stoppable, StoppableApp } from '../../src/life/stopping.ts'

const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM']

/** A process whose end can be waited for. */
function createProcess() {
  const emitter = new EventEmitter()
  const exits: (number | undefined)[] = []
  const ended = Promise.withResolvers<void>()
  const process: SignalledProcess = {
    prependListener: (signal, listener) => emitter.prependListener(signal, listener),
    off: (signal, listener) => emitter.off(signal, listener),
    listenerCount: (signal) => emitter.listenerCount(signal),
    exit(code) {
      exits.push(code)
      ended.resolve()
    },
  }
  const send = (signal: StopSignal) => emitter.emit(signal, signal)
  const listeners = () => SIGNALS.map((signal) => emitter.listenerCount(signal))
  return { process, emitter, send, listeners, exits, ended: ended.promise }
}

/** A core that notes when it is closed; it closes when it is let. */
function createCore(timing: Stoppable['timing'] = { delay: 0, timeout: 0 }) {
  const life = new Life()
  life.become('ready')
  const gate = Promise.withResolvers<void>()
  const core: Stoppable = {
    life,
    timing,
    async close() {
      life.become('draining')
      await gate.promise
      life.become('closed')
    },
  }
  return { core, life, letClose: () => gate.resolve() }
}

const createServed = (): StoppableApp => ({ server: null, stop: async () => undefined })

describe('listeners of a process', () => {
  test('are one of each signal, for however many apps and cores', () => {
    const { process, listeners } = createProcess()
    const handler = new SignalHandler(process)
    const cores = [createCore().core, createCore().core]
    for (let count = 0; count < 50; count += 1) for (const core of cores) handler.add(core, createServed())
    expect(listeners()).toEqual([1, 1])
  })

  test('are gone when the last app has stopped', () => {
    const { process, listeners } = createProcess()
    const handler = new SignalHandler(process)
    const [one, other] = [createCore().core, createCore().core]
    const apps = [createServed(), createServed()] as const
    handler.add(one, apps[0])
    handler.add(one, apps[1])
    handler.add(other, apps[0])
    handler.remove(one, apps[0])
    handler.remove(one, apps[1])
    expect(listeners()).toEqual([1, 1])
    handler.remove(other, apps[0])
    expect(listeners()).toEqual([0, 0])
  })

  test('are gone when the core is closed, and come again with another', async () => {
    const { process, listeners } = createProcess()
    const handler = new SignalHandler(process)
    const { core, letClose } = createCore()
    handler.add(core, createServed())
    letClose()
    await core.close()
    expect(listeners()).toEqual([0, 0])
    handler.add(core, createServed())
    expect(listeners()).toEqual([0, 0])
    handler.add(createCore().core, createServed())
    expect(listeners()).toEqual([1, 1])
  })

  test('are none with shutdown: false', () => {
    const { process, listeners } = createProcess()
    new SignalHandler(process).add(createCore(false).core, createServed())
    expect(listeners()).toEqual([0, 0])
  })
})

describe.each(SIGNALS)('%s', (signal) => {
  test('drains all cores at once, and ends the process when all are closed', async () => {
    const { process, send, exits, ended } = createProcess()
    const handler = new SignalHandler(process)
    const cores = [createCore(), createCore()]
    for (const { core } of cores) handler.add(core, createServed())
    send(signal)
    expect(cores.map(({ life }) => life.state)).toEqual(['draining', 'draining'])
    cores[0]?.letClose()
    await cores[0]?.life.closed
    expect(exits).toEqual([])
    cores[1]?.letClose()
    await ended
    expect([exits, cores.map(({ life }) => life.state)]).toEqual([[undefined], ['closed', 'closed']])
  })

  test('ends the process at once when it is the second', async () => {
    const { process, send, exits, ended } = createProcess()
    const handler = new SignalHandler(process)
    handler.add(createCore().core, createServed())
    send('SIGTERM')
    expect(exits).toEqual([])
    send(signal)
    await ended
    expect(exits).toEqual([signal === 'SIGINT' ? 130 : 143])
  })

  test.each(['on', 'once'] as const)('stops, and leaves the end to who listens himself by %s', async (how) => {
    const { process, emitter, send, exits, listeners } = createProcess()
    let heard = 0
    emitter[how](signal, () => {
      heard += 1
    })
    const handler = new SignalHandler(process)
    const { core, life, letClose } = createCore()
    handler.add(core, createServed())
    letClose()
    send(signal)
    await life.closed
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
    expect([heard, exits, life.state]).toEqual([1, [], 'closed'])
    expect(listeners().reduce((sum, count) => sum + count)).toBe(how === 'on' ? 1 : 0)
  })
})
