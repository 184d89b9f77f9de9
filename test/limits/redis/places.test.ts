import { expect, test } from 'bun:test'
import { createRate } from '../../../src/limits/rate.ts'
import { Places } from '../../../src/limits/redis/places.ts'

const rate = createRate({ limit: 1, window: 1000 })

test('however many rates keys have, the places of the app stay', () => {
  const places = new Places()
  places.add('default ip', rate)
  for (let index = 0; index < 5000; index += 1) places.add(`key:${index}`, rate)
  const names = places.entries().map(([place]) => place)
  expect(names[0]).toBe('default ip')
  expect([names.length, names.at(-1)]).toEqual([1001, 'key:4999'])
})

test('of those of the app the oldest leave', () => {
  const places = new Places()
  for (let index = 0; index < 1500; index += 1) places.add(`place ${index}`, rate)
  expect(places.entries().map(([place]) => place)).toEqual(Array.from({ length: 1000 }, (_, at) => `place ${at + 500}`))
})
