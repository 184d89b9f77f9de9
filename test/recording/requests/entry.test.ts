import { expect, test } from 'bun:test'
import { createEntry } from '../../../src/recording/requests/entry.ts'
import { FACTS } from './support.ts'

const idAt = (at: number) =>
  createEntry({ facts: FACTS, method: 'GET', url: 'http://localhost/x', at, details: null }, () => null).id

test('ids grow with time, and are not the same at the same time', () => {
  const times = [0, 1, 61, 62, 1_700_000_000_000, 1_893_456_000_000, 1_893_456_000_001, 4_102_444_800_000]
  const ids = times.map(idAt)
  expect(ids.toSorted()).toEqual(ids)
  expect(ids.every((id) => /^log_[0-9A-Za-z]{16}$/.test(id))).toBe(true)
  expect(new Set(Array.from({ length: 1000 }, () => idAt(1_893_456_000_000))).size).toBe(1000)
})

test('a clock before 1970 makes ids too', () => {
  expect(idAt(-1)).toMatch(/^log_0{8}[0-9A-Za-z]{8}$/)
})
