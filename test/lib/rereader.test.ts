/** What is stored is read again until it was seen as it was after the last change. */
import { describe, expect, test } from 'bun:test'
import { Rereader } from '../../src/lib/rereader.ts'
import { until } from '../support/until.ts'

/** A reading that ends when the test says so. */
function create() {
  const readings: PromiseWithResolvers<void>[] = []
  const state = { begun: 0, failures: 0 }
  const rereader = new Rereader(
    () => {
      state.begun += 1
      const reading = Promise.withResolvers<void>()
      readings.push(reading)
      return reading.promise
    },
    () => {
      state.failures += 1
    },
  )
  const end = async (how: 'read' | 'failed') => {
    await until(() => readings.length > 0)
    const reading = readings.shift()
    if (how === 'read') reading?.resolve()
    else reading?.reject(new Error('storage is away'))
  }
  return { rereader, state, end }
}

describe('a rereader', () => {
  test('begins at once, and is done when it was read', async () => {
    const { rereader, state, end } = create()
    const done = rereader.readSoon()
    expect(state.begun).toBe(1)
    await end('read')
    await done
    expect(state).toEqual({ begun: 1, failures: 0 })
  })

  test('goes on until it succeeds, and tells once of failures in a row', async () => {
    const { rereader, state, end } = create()
    const done = rereader.readSoon()
    for (const how of ['failed', 'failed', 'read'] as const) await end(how)
    await done
    expect(state).toEqual({ begun: 3, failures: 1 })
    const again = rereader.readSoon()
    for (const how of ['failed', 'read'] as const) await end(how)
    await again
    expect(state).toEqual({ begun: 5, failures: 2 })
  })

  test('tells anew of a failure after a success, without a pause in between', async () => {
    const { rereader, state, end } = create()
    const done = rereader.readSoon()
    await end('failed')
    await until(() => state.begun === 2)
    rereader.readSoon()
    for (const how of ['read', 'failed', 'read'] as const) await end(how)
    await done
    expect(state).toEqual({ begun: 4, failures: 2 })
  })

  test('reads once more, and one at a time, what changed while it was reading, however often it is told', async () => {
    const { rereader, state, end } = create()
    const all = Array.from({ length: 100 }, () => rereader.readSoon())
    expect(state.begun).toBe(1)
    await end('read')
    await end('read')
    await Promise.all(all)
    expect(state.begun).toBe(2)
  })

  test.each(Array.from({ length: 8 }, (_, turns) => ({ turns })))(
    'sees what changed $turns turns after it began, also while it comes to its end',
    async ({ turns }) => {
      let stored = 'old'
      let seen = ''
      const rereader = new Rereader(async () => {
        const read = stored
        await Promise.resolve()
        seen = read
      })
      void rereader.readSoon()
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      stored = 'new'
      await rereader.readSoon()
      expect(seen).toBe('new')
    },
  )

  test('counts a function that throws at once as failed', async () => {
    let calls = 0
    const rereader = new Rereader(() => {
      calls += 1
      if (calls === 1) throw new Error('not even a promise')
      return Promise.resolve()
    })
    await rereader.readSoon()
    expect(calls).toBe(2)
  })

  test('waits a while before it tries again', async () => {
    const { rereader, state, end } = create()
    const start = performance.now()
    const done = rereader.readSoon()
    await end('failed')
    await until(() => state.begun === 2)
    expect(performance.now() - start).toBeGreaterThan(200)
    await end('read')
    await done
  })
})

describe('a rereader that is stopped', () => {
  test('while it pauses tries no more', async () => {
    const { rereader, state, end } = create()
    const done = rereader.readSoon()
    await end('failed')
    await until(() => state.failures === 1)
    rereader.stop()
    await done
    await rereader.readSoon()
    expect(state).toEqual({ begun: 1, failures: 1 })
  })

  test.each(['read', 'failed'] as const)('while it reads ends with that reading: %s', async (how) => {
    const { rereader, state, end } = create()
    const done = rereader.readSoon()
    rereader.readSoon()
    rereader.stop()
    await end(how)
    await done
    expect(state).toEqual({ begun: 1, failures: 0 })
  })
})

test('a process ends though something still cannot be read', async () => {
  const path = `${import.meta.dir}/../../src/lib/rereader.ts`
  const script = `const { Rereader } = await import(${JSON.stringify(path)})
    void new Rereader(() => Promise.reject(new Error('away')), () => console.log('tries')).readSoon()`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'pipe', timeout: 10_000 })
  const [said, code] = await Promise.all([child.stdout.text(), child.exited])
  expect([said, code]).toEqual(['tries\n', 0])
})
