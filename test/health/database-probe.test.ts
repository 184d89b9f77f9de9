/** A flood of questions is no flood of statements. */
import { describe, expect, test } from 'bun:test'
import { DatabaseProbe } from '../../src/health/database-probe.ts'

/** A database that answers when it is let, and a clock that is moved by hand. */
function createDatabase(patience = 1000) {
  const time = { now: 0 }
  const asked: PromiseWithResolvers<void>[] = []
  const probe = new DatabaseProbe(
    () => {
      const answer = Promise.withResolvers<void>()
      asked.push(answer)
      return answer.promise
    },
    () => time.now,
    patience,
  )
  return { probe, time, asked }
}

describe('the database', () => {
  test('is up by how long its answer took', async () => {
    const { probe, time, asked } = createDatabase()
    const look = probe.look()
    time.now = 7.25
    asked[0]?.resolve()
    expect(await look).toEqual({ status: 'up', latencyMs: 7.25 })
  })

  test('is down when it says no', async () => {
    const { probe, asked } = createDatabase()
    const look = probe.look()
    asked[0]?.reject(new Error('no'))
    expect(await look).toEqual({ status: 'down', latencyMs: null })
  })

  test('is down when asking throws', async () => {
    const probe = new DatabaseProbe(() => {
      throw new Error('no')
    })
    expect(await probe.look()).toEqual({ status: 'down', latencyMs: null })
    expect(await probe.look()).toEqual({ status: 'down', latencyMs: null })
  })

  test('is down when it does not answer, and asked no more until it does', async () => {
    const { probe, time, asked } = createDatabase(5)
    expect((await probe.look()).status).toBe('down')
    time.now = 60_000
    expect((await probe.look()).status).toBe('down')
    expect(asked).toHaveLength(1)
    asked[0]?.resolve()
    await Promise.resolve()
    time.now = 120_000
    const look = probe.look()
    asked[1]?.resolve()
    expect((await look).status).toBe('up')
  })

  test('is asked once by many at once, and once in a second', async () => {
    const { probe, time, asked } = createDatabase()
    const looks = Array.from({ length: 100 }, () => probe.look())
    asked[0]?.resolve()
    await Promise.all(looks)
    time.now = 999
    await probe.look()
    expect(asked).toHaveLength(1)
    time.now = 1000
    const again = probe.look()
    expect(asked).toHaveLength(2)
    asked[1]?.resolve()
    expect((await again).status).toBe('up')
  })
})
