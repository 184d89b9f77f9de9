import { describe, expect, test } from 'bun:test'
import { EndpointBound, MOST_ENDPOINTS } from '../../../src/recording/usage/endpoint-bound.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2030, 0, 10, 11)

function full(): EndpointBound {
  const bound = new EndpointBound()
  for (let index = 0; index < MOST_ENDPOINTS; index++) expect(bound.admits('key_1', `/${index}`, NOW)).toBeTrue()
  return bound
}

describe('of a key with as many endpoints as there may be in a day', () => {
  test.each([
    { name: 'another one is refused', keyId: 'key_1', endpoint: '/new', at: NOW, isAdmitted: false },
    { name: 'a known one is admitted', keyId: 'key_1', endpoint: '/7', at: NOW, isAdmitted: true },
    { name: 'one of another key is admitted', keyId: 'key_2', endpoint: '/new', at: NOW, isAdmitted: true },
    { name: 'it is refused until midnight', keyId: 'key_1', endpoint: '/new', at: NOW + DAY / 2, isAdmitted: false },
    { name: 'it is admitted the next day', keyId: 'key_1', endpoint: '/new', at: NOW + DAY, isAdmitted: true },
  ])('$name', ({ keyId, endpoint, at, isAdmitted }) => {
    expect(full().admits(keyId, endpoint, at)).toBe(isAdmitted)
  })
})

test('a thousand keys are remembered, those that reported last', () => {
  const bound = full()
  for (let index = 0; index < 999; index++) bound.admits(`other_${index}`, '/a', NOW)
  expect(bound.admits('key_1', '/new', NOW)).toBeFalse()
  for (let index = 0; index < 1000; index++) bound.admits(`more_${index}`, '/a', NOW)
  expect(bound.size).toBe(1000)
  expect(bound.admits('key_1', '/new', NOW)).toBeTrue()
})
