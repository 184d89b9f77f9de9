import { expect, test } from 'bun:test'
import { dropOldest } from '../../src/lib/drop-oldest.ts'

test('what was put in first leaves, of a map, of a set, and of nothing nothing', () => {
  const map = new Map([
    ['a', 1],
    ['b', 2],
  ])
  const set = new Set(['b', 'a'])
  const none = new Set<string>()
  for (const each of [map, set, none]) dropOldest(each)
  expect([[...map.keys()], [...set], none.size]).toEqual([['b'], ['a'], 0])
})
