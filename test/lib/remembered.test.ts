import { describe, expect, test } from 'bun:test'
import { Remembered } from '../../src/lib/remembered.ts'

/** Readings that end when the test says so; `took` ms pass in each. */
function setUp() {
  const time = { now: 1_000_000 }
  const readings: PromiseWithResolvers<number>[] = []
  const remembered = new Remembered(
    () => {
      const reading = Promise.withResolvers<number>()
      readings.push(reading)
      return reading.promise
    },
    () => time.now,
  )
  async function read(took = 0) {
    const answer = remembered.get()
    time.now += took
    readings.at(-1)?.resolve(readings.length)
    return answer
  }
  return { time, readings, remembered, read }
}

describe('what is remembered', () => {
  test('is read once by all who ask meanwhile', async () => {
    const { readings, remembered } = setUp()
    const answers = [remembered.get(), remembered.get(), remembered.get()]
    readings[0]?.resolve(7)
    expect(await Promise.all(answers)).toEqual([7, 7, 7])
    expect(readings).toHaveLength(1)
  })

  test.each([
    { took: 0, after: 4999, isReadAgain: false },
    { took: 0, after: 5000, isReadAgain: true },
    { took: 1000, after: 19_999, isReadAgain: false },
    { took: 1000, after: 20_000, isReadAgain: true },
    { took: 0, after: -1, isReadAgain: true },
  ])('took $took ms, $after ms later: read again $isReadAgain', async ({ took, after, isReadAgain }) => {
    const { time, read } = setUp()
    expect(await read(took)).toBe(1)
    time.now += after
    expect(await read()).toBe(isReadAgain ? 2 : 1)
  })

  test('is no failure: the next one reads again', async () => {
    const { readings, remembered, read } = setUp()
    const first = remembered.get()
    readings[0]?.reject(new Error('locked'))
    await expect(first).rejects.toThrow('locked')
    expect(await read()).toBe(2)
  })
})
