import { describe, expect, test } from 'bun:test'
import type { DatabaseHealth } from '../../src/health/database-probe.ts'
import { Health, type Readiness } from '../../src/health/readiness.ts'
import type { LifeState } from '../../src/life/life.ts'

const UP: DatabaseHealth = { status: 'up', latencyMs: 1 }
const DOWN: DatabaseHealth = { status: 'down', latencyMs: null }

const ROWS: readonly (readonly [LifeState, DatabaseHealth, Readiness['status']])[] = [
  ['starting', UP, 'starting'],
  ['starting', DOWN, 'starting'],
  ['ready', UP, 'ready'],
  ['ready', DOWN, 'unavailable'],
  ['failed', UP, 'unavailable'],
  ['failed', DOWN, 'unavailable'],
  ['draining', UP, 'draining'],
  ['draining', DOWN, 'draining'],
  ['closed', DOWN, 'draining'],
]

const healthOf = (state: LifeState, database: DatabaseHealth, parts: Readonly<Record<string, () => boolean | null>>) =>
  new Health({ life: { state }, database: { look: async () => database }, parts }).readiness()

describe('readiness', () => {
  test.each(ROWS)('of a core that is %s is decided by it and the database', async (state, database, status) => {
    expect(await healthOf(state, database, { usage: () => false })).toEqual({
      status,
      components: { database, usage: { status: 'degraded' } },
    })
  })

  test('names the parts that are switched on', async () => {
    const parts = { usage: () => true, requestLog: () => null, changes: () => false }
    expect((await healthOf('ready', UP, parts)).components).toEqual({
      database: UP,
      usage: { status: 'up' },
      changes: { status: 'degraded' },
    })
  })
})
