import { describe, expect, test } from 'bun:test'
import { Life, type LifeState } from '../../src/life/life.ts'

type Step = Exclude<LifeState, 'starting'>

const WAYS: readonly { readonly steps: readonly Step[]; readonly state: LifeState; readonly isStopping: boolean }[] = [
  { steps: [], state: 'starting', isStopping: false },
  { steps: ['ready'], state: 'ready', isStopping: false },
  { steps: ['failed'], state: 'failed', isStopping: false },
  { steps: ['failed', 'ready'], state: 'failed', isStopping: false },
  { steps: ['ready', 'failed'], state: 'ready', isStopping: false },
  { steps: ['draining'], state: 'draining', isStopping: true },
  { steps: ['draining', 'ready'], state: 'draining', isStopping: true },
  { steps: ['ready', 'draining', 'failed'], state: 'draining', isStopping: true },
  { steps: ['ready', 'draining', 'closed'], state: 'closed', isStopping: true },
  { steps: ['closed', 'draining'], state: 'closed', isStopping: true },
]

describe('a life', () => {
  test.each(WAYS)('of $steps is $state', ({ steps, state, isStopping }) => {
    const life = new Life()
    for (const step of steps) life.become(step)
    expect([life.state, life.isStopping]).toEqual([state, isStopping])
  })

  test('tells when it is over', async () => {
    const life = new Life()
    let isOver = false
    void life.closed.then(() => {
      isOver = true
    })
    life.become('draining')
    await Promise.resolve()
    expect(isOver).toBe(false)
    life.become('closed')
    await life.closed
    expect(isOver).toBe(true)
  })
})
