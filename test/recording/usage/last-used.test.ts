import { expect, test } from 'bun:test'
import { LastUsed } from '../../../src/recording/usage/last-used.ts'
import type { KeyTouch } from '../../../src/storage/ports/usage.ts'
import { START } from './support.ts'

const MINUTE = 60_000

function open(limit = 1000) {
  const touched: KeyTouch[][] = []
  let isDown = false
  const store = {
    async touch(uses: readonly KeyTouch[]) {
      if (isDown) throw new Error('locked')
      touched.push([...uses])
    },
  }
  const lastUsed = new LastUsed(limit)
  return {
    lastUsed,
    touched,
    setDown: (down: boolean) => {
      isDown = down
    },
    write: (after: number, isLast = false) => lastUsed.write(store, START + after, isLast),
  }
}

test('the first use is written with the next flush, then one a minute, and the rest at the end', async () => {
  const { lastUsed, touched, write } = open()
  lastUsed.note('key_1', START)
  await write(1000)
  expect(touched).toEqual([[{ keyId: 'key_1', at: START }]])
  for (const after of [2000, 59_000]) {
    lastUsed.note('key_1', START + after)
    await write(after)
  }
  expect(touched).toHaveLength(1)
  await write(MINUTE)
  expect(touched[1]).toEqual([{ keyId: 'key_1', at: START + 59_000 }])
  lastUsed.note('key_1', START + MINUTE + 1)
  await write(MINUTE + 2, true)
  expect(touched[2]).toEqual([{ keyId: 'key_1', at: START + MINUTE + 1 }])
  expect(touched).toHaveLength(3)
})

test('a key that was not used again is not written again', async () => {
  const { lastUsed, touched, write } = open()
  lastUsed.note('key_1', START)
  for (const after of [0, MINUTE, 2 * MINUTE, 10 * MINUTE]) await write(after, true)
  expect(touched).toHaveLength(1)
})

test('what could not be written is written later', async () => {
  const { lastUsed, touched, write, setDown } = open()
  lastUsed.note('key_1', START)
  setDown(true)
  await expect(write(0)).rejects.toThrow('locked')
  setDown(false)
  lastUsed.note('key_1', START + 5)
  await write(10)
  expect(touched).toEqual([[{ keyId: 'key_1', at: START + 5 }]])
})

test('holds no more keys than it may, and has room again when some were not used for a minute', async () => {
  const { lastUsed, touched, write } = open(2)
  for (const key of ['key_1', 'key_2', 'key_3']) lastUsed.note(key, START)
  await write(0)
  expect(touched.flat().map(({ keyId }) => keyId)).toEqual(['key_1', 'key_2'])
  await write(MINUTE)
  lastUsed.note('key_3', START + MINUTE)
  await write(MINUTE)
  expect(touched.flat().map(({ keyId }) => keyId)).toEqual(['key_1', 'key_2', 'key_3'])
})

test('many keys are written in several transactions', async () => {
  const { lastUsed, touched, write } = open(2000)
  for (let index = 0; index < 1200; index++) lastUsed.note(`key_${index}`, START)
  await write(0)
  expect(touched.map(({ length }) => length)).toEqual([500, 500, 200])
})

test.each([
  { name: 'an older use changes nothing', noted: 50, later: 20, now: 60, expected: 50 },
  { name: 'a newer one does', noted: 20, later: 50, now: 60, expected: 50 },
  { name: 'a clock that was set back is followed', noted: 90, later: 20, now: 30, expected: 20 },
  { name: 'a use by a clock that was ahead is one of now', noted: 20, later: 90, now: 30, expected: 30 },
])('of uses that are told of later: $name', async ({ noted, later, now, expected }) => {
  const { lastUsed, touched, write } = open()
  lastUsed.note('key_1', START + noted)
  lastUsed.noteLater('key_1', START + later, START + now)
  await write(now)
  expect(touched).toEqual([[{ keyId: 'key_1', at: START + expected }]])
})
