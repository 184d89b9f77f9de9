import { describe, expect, test } from 'bun:test'
import { closeInStages } from '../../src/life/closing.ts'

const never = () => new Promise<never>(() => undefined)

/** Closes three stages, of which one step is as given, and tells what was done and warned of. */
async function close(step: (patience: number) => unknown, patience: number) {
  const done: string[] = []
  const warnings: string[] = []
  const note = (name: string) => () => void done.push(name)
  await closeInStages(
    {
      stages: [{ first: note('first') }, { 'The step': step, beside: note('beside') }, { after: note('after') }],
      last: { last: note('last') },
    },
    patience,
    (message) => warnings.push(message),
  )
  return { done, warnings }
}

const STEPS: readonly { readonly name: string; readonly step: () => unknown; readonly warned: readonly string[] }[] = [
  { name: 'that does nothing', step: () => undefined, warned: [] },
  { name: 'that takes a while', step: async () => void (await Promise.resolve()), warned: [] },
  { name: 'that never ends', step: never, warned: ['The step took too long, and was not waited for'] },
  { name: 'that rejects', step: () => Promise.reject(new Error('no')), warned: ['The step failed: no'] },
  {
    name: 'that throws',
    step: () => {
      throw new Error('no')
    },
    warned: ['The step failed: no'],
  },
]

describe('closing with a step', () => {
  test.each(STEPS)('$name takes all the others too, in order', async ({ step, warned }) => {
    const { done, warnings } = await close(step, 10)
    expect(done).toEqual(['first', 'beside', 'after', 'last'])
    expect(warnings).toEqual([...warned])
  })

  test('takes no longer than it may, and starts every step without any time left', async () => {
    const { done } = await close(never, 0)
    expect(done).toEqual(['first', 'beside', 'after', 'last'])
  })

  test.each([
    [0, 0, 0],
    [80, 0, 0],
    [5000, 4000, 4900],
  ])('within %p ms tells it that it has less, so that it can end by itself', async (patience, least, most) => {
    let told = Number.NaN
    await close((ms: number) => {
      told = ms
    }, patience)
    expect(told).toBeWithin(least, most + 1)
  })

  test('does not wait for ever for the last one', async () => {
    const warnings: string[] = []
    await closeInStages({ stages: [], last: { 'The last': never } }, 0, (message) => warnings.push(message))
    expect(warnings).toEqual(['The last took too long, and was not waited for'])
  })
})
