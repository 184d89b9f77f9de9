import { expect, test } from 'bun:test'
import { createRate } from '../../../src/limits/rate.ts'
import { Places } from '../../../src/limits/redis/places.ts'

const rate = createRate({ limit: 1, window: 1000 })
const namesOf = (places: Places, subject: string) => places.entriesOf(subject).map(([place]) => place)
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `place ${index + from}`)

test('all that routes declare stay, whatever handlers and keys bring up', () => {
  const places = new Places()
  for (const place of numbered(1500)) {
    // A handler may have asked for it before.
    places.add(place, rate)
    places.declare(place, rate)
  }
  for (let index = 0; index < 5000; index += 1) {
    places.add(`key:${index}`, rate)
    places.add(`handler ${index}`, rate)
    places.add(`place ${index % 1500}`, rate)
  }
  const names = namesOf(places, 'apiKey:a')
  expect(names.slice(0, 1500)).toEqual(numbered(1500))
  expect([names.length, names[1500], names.at(-1)]).toEqual([3500, 'handler 4000', 'key:4999'])
})

test('of those of handlers and keys the oldest leave', () => {
  const places = new Places()
  for (const place of numbered(1500)) places.add(place, rate)
  expect(namesOf(places, 'ip:192.0.2.1')).toEqual(numbered(1000, 500))
})

test.each([
  ['apiKey:key_a', ['place', 'key:1']],
  ['apiKey#:hash', ['place', 'key:1']],
  ['ip:192.0.2.1', ['place']],
  ['custom:apiKey:x', ['place']],
])('%s is counted at %j', (subject, expected) => {
  const places = new Places()
  places.declare('place', rate)
  places.add('key:1', rate)
  expect(namesOf(places, subject)).toEqual(expected)
})
