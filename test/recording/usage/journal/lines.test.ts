/** What is written to a journal is read back, and a part of it is never read as something else. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  endOfLine,
  headerLine,
  LONGEST_REQUEST,
  labelsLine,
  parseLine,
  writeRequest,
} from '../../../../src/recording/usage/journal/lines.ts'
import { JournalReader, readHeader } from '../../../../src/recording/usage/journal/reader.ts'
import { START_OF_JOURNAL } from '../../../../src/storage/ports/usage.ts'
import { START } from '../support.ts'

const text = fc.string({ unit: 'binary', maxLength: 20 })
const labels = fc.record({
  keyId: text,
  organizationId: text,
  method: text,
  route: text,
  status: fc.integer({ min: 100, max: 599 }),
})
const whole = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 1e15))

const bytesOf = (line: string) => new Uint8Array(Buffer.from(line))

function parse(line: Uint8Array) {
  const end = endOfLine(line, 0, line.length)
  return end === line.length - 1 ? parseLine(line, 0, end) : null
}

test('labels of any text are read back', () => {
  fc.assert(
    fc.property(fc.nat(), labels, (number, given) => {
      expect(parse(bytesOf(labelsLine(number, given)))).toEqual({ kind: 'labels', number, labels: given })
    }),
  )
})

test('the numbers of a request are read back, and its line is no longer than the room that is kept for it', () => {
  fc.assert(
    fc.property(whole, whole, whole, (number, after, duration) => {
      const bytes = new Uint8Array(LONGEST_REQUEST)
      const end = writeRequest(bytes, 0, number, after, duration)
      expect(end).toBeLessThanOrEqual(LONGEST_REQUEST)
      expect(parse(bytes.subarray(0, end))).toEqual({ kind: 'request', number, after, duration })
    }),
  )
})

interface Journal {
  readonly bytes: Uint8Array
  /** Where each request's line ends. */
  readonly ends: readonly number[]
}

/** A journal in which each request takes another duration: 2 to the power of its number. */
function sourceIdOf(given: readonly Parameters<typeof labelsLine>[1][], requests: readonly number[]): Journal {
  const text =
    headerLine({ database: 'd', at: START, owner: 'o' }) +
    given.map((each, number) => labelsLine(number, each)).join('')
  const bytes = new Uint8Array(Buffer.byteLength(text) + requests.length * LONGEST_REQUEST + 64)
  let end = Buffer.from(bytes.buffer).write(text)
  const ends: number[] = []
  for (const [index, which] of requests.entries()) {
    end = writeRequest(bytes, end, which % given.length, index * 7, 2 ** index)
    ends.push(end)
  }
  return { bytes, ends }
}

function durationOf(bytes: Uint8Array): number {
  const span = new JournalReader(bytes).read(START_OF_JOURNAL, bytes.length)
  return span?.tally.overall.reduce((sum, { duration }) => sum + duration, 0) ?? 0
}

const journal = fc
  .tuple(fc.array(labels, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(), { minLength: 1, maxLength: 20 }))
  .map(([given, requests]) => sourceIdOf(given, requests))
const cut = (bytes: Uint8Array, fraction: number) => Math.floor(fraction * bytes.length)
const part = fc.nat(1_000_000).map((millionths) => millionths / 1_000_000)

describe('of a journal that ends anywhere, all requests are read that are there as a whole', () => {
  test.each([
    ['cut off', (bytes: Uint8Array, at: number) => bytes.slice(0, at)],
    ['followed by zeros', (bytes: Uint8Array, at: number) => bytes.slice().fill(0, at)],
  ])('%s', (_, shorten) => {
    fc.assert(
      fc.property(journal, part, ({ bytes, ends }, fraction) => {
        const at = cut(bytes, fraction)
        const whole = ends.filter((end) => end <= at).length
        expect(durationOf(shorten(bytes, at))).toBe(2 ** whole - 1)
      }),
    )
  })
})

test('a byte that is not visible yet hides its line and all after it, and no more', () => {
  fc.assert(
    fc.property(journal, part, ({ bytes, ends }, fraction) => {
      const last = ends.at(-1) ?? 0
      const at = Math.floor(fraction * (last - 1))
      const seen = bytes.slice()
      seen[at] = 0
      expect(durationOf(seen)).toBe(2 ** ends.filter((end) => end <= at).length - 1)
    }),
  )
})

test('a line that was never written by this says nothing', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 30 }).filter((each) => !each.includes(10) && !each.includes(0))
  fc.assert(
    fc.property(bytes, (given) => {
      const line = parseLine(given, 0, given.length)
      const isNumbers = /^\d+ \d+ \d+$/.test(Buffer.from(given).toString('latin1'))
      expect(line.kind).toBe(isNumbers ? 'request' : given.length === 1 && given[0] === 46 ? 'end' : 'unknown')
    }),
  )
})

test.each([
  ['1 2', 'too few numbers'],
  ['1 2 3 4', 'too many'],
  ['1  2 3', 'two spaces'],
  ['1 2 ', 'no last number'],
  [' 1 2 3', 'a space before'],
  ['1 2 3\r', 'a carriage return'],
  ['1 2 -3', 'a sign'],
  ['1 2 9007199254740992', 'a number that is not exact'],
  ['..', 'two dots'],
  ['{"c":[0,"k","o","GET","/"]}', 'labels without a status'],
  ['{"c":[-1,"k","o","GET","/",200]}', 'a number below zero'],
  ['{"c":[0,"k","o","GET",7,200]}', 'a route that is no text'],
  ['{"c":[0,"k","o","GET","/",200]', 'half an object'],
  ['{"usage":2,"at":1,"owner":""}', 'a header of another version'],
  ['{"usage":1,"at":"1","owner":""}', 'a header without a time'],
  ['null', 'no object'],
])('%p is no line: %s', (line) => {
  expect(parse(bytesOf(`${line}\n`))).toEqual({ kind: 'unknown' })
})

test.each([
  ['', null],
  [headerLine({ database: 'd', at: 5, owner: 'a' }), { database: 'd', at: 5, owner: 'a' }],
  [headerLine({ database: 'd', at: 5, owner: 'a' }).slice(0, -1), null],
  ['{"usage":2,"at":5,"owner":"a"}\n', null],
  ['0 1 2\n', null],
])('the header of %p', (given, expected) => {
  expect(readHeader(bytesOf(given))).toEqual(expected)
})

test('requests of labels that were not defined, and of a journal without a header, are not counted', () => {
  expect(durationOf(bytesOf(`${headerLine({ database: 'd', at: START, owner: '' })}0 1 2\n`))).toBe(0)
  expect(durationOf(bytesOf('{"c":[0,"k","","GET","/",200]}\n0 1 2\n'))).toBe(0)
})
