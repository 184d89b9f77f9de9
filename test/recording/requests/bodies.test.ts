/** What is kept of which body: small texts that are in memory. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  cutToBytes,
  type HeldBody,
  holdAnswerBody,
  holdRequestBody,
  isBinary,
} from '../../../src/recording/requests/bodies.ts'
import { type BodySize, memorySizeOf } from '../../../src/recording/requests/memory-size.ts'

const shown = (held: HeldBody) =>
  held === null ? null : held.kind === 'note' ? held.text : `${held.form} ${held.size}`
const JSON_TYPE = { 'content-type': 'application/json' }

async function* generate() {
  yield 'a'
}
const stream = (headers: Readonly<Record<string, string>> = {}, chunks: AsyncIterable<string> = generate()) =>
  new Response(chunks as unknown as ReadableStream, { headers: { ...JSON_TYPE, ...headers } })

describe('a request', () => {
  const ask = (headers: Readonly<Record<string, string>>) =>
    shown(holdRequestBody(new Request('http://localhost/', { method: 'POST', headers, body: '{}' }), 100))

  test.each<[Readonly<Record<string, string>>, string | null]>([
    [{ ...JSON_TYPE, 'content-length': '2' }, 'json 2'],
    [{ 'content-type': 'Application/Problem+JSON; charset="UTF-8"', 'content-length': '2' }, 'json 2'],
    [{ 'content-type': 'application/x-www-form-urlencoded', 'content-length': '2' }, 'form 2'],
    [{ 'content-type': 'text/csv', 'content-length': '2' }, 'text 2'],
    [{ 'content-type': 'image/svg+xml', 'content-length': '2' }, '[binary, 2 bytes]'],
    [{ 'content-type': 'application/soap+xml', 'content-length': '2' }, 'text 2'],
    [{ 'content-type': 'image/png', 'content-length': '1234' }, '[binary, 1234 bytes]'],
    [{ 'content-type': 'multipart/form-data; boundary=x', 'content-length': '1234' }, '[multipart, 1234 bytes]'],
    [{ ...JSON_TYPE, 'content-length': '101' }, '[large, 101 bytes]'],
    [{ ...JSON_TYPE, 'transfer-encoding': 'chunked' }, '[of unknown length]'],
    [{ ...JSON_TYPE, 'content-length': '2', 'content-encoding': 'gzip' }, '[compressed, 2 bytes]'],
    [{ 'content-type': 'application/json; charset=utf-16', 'content-length': '2' }, '[of another charset, 2 bytes]'],
    [{ ...JSON_TYPE, 'content-length': '0' }, null],
    [JSON_TYPE, null],
  ])('%p', (headers, expected) => expect(ask(headers)).toBe(expected))
})

describe('an answer', () => {
  test.each<[string, () => Response, string | null]>([
    ['JSON', () => Response.json({ a: 1 }), 'json 7'],
    ['a text', () => new Response('hello'), 'text 5'],
    ['bytes of a text', () => new Response(new Uint8Array(5), { headers: JSON_TYPE }), 'json 5'],
    ['nothing', () => new Response(null), null],
    ['nothing to HEAD or 204', () => new Response(null, { status: 204, headers: JSON_TYPE }), null],
    ['much', () => new Response('x'.repeat(101)), '[large, 101 bytes]'],
    ['a stream', () => stream(), '[stream]'],
    ['a file', () => new Response(Bun.file(import.meta.path), { headers: JSON_TYPE }), '[not in memory]'],
    ['a stream of a length', () => stream({ 'content-length': '1' }), 'json 1'],
    ['a stream of a large one', () => stream({ 'content-length': '101' }), '[large, 101 bytes]'],
    ['a stream of none', () => stream({ 'content-length': '1e1' }), '[stream]'],
    [
      'events of a length',
      () => stream({ 'content-type': 'text/event-stream', 'content-length': '1' }),
      '[stream, 1 bytes]',
    ],
    [
      'a file of a length',
      () => new Response(Bun.file(import.meta.path), { headers: { ...JSON_TYPE, 'content-length': '1' } }),
      '[not in memory, 1 bytes]',
    ],
    ['events', () => new Response('data: 1', { headers: { 'content-type': 'text/event-stream' } }), '[stream]'],
    ['an image', () => new Response('x', { headers: { 'content-type': 'image/png' } }), '[binary]'],
  ])('%s', (_, make, expected) => expect(shown(holdAnswerBody(make(), 'GET', 100))).toBe(expected))

  test('is sent as it was', async () => {
    const answers = [Response.json({ a: 1 }), stream(), new Response('x'.repeat(200))]
    for (const answer of answers) holdAnswerBody(answer, 'GET', 100)
    expect(answers.map(({ bodyUsed }) => bodyUsed)).toEqual([false, false, false])
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['{"a":1}', 'a', 'x'.repeat(200)])
  })

  test('is read along with a stream, no further than that said it would go', async () => {
    async function* long() {
      for (let n = 0; n < 1000; n += 1) yield 'ab'
    }
    async function* broken() {
      yield 'ab'
      throw new Error('broken')
    }
    for (const [length, chunks, sent, expected] of [
      ['1', generate(), 'a', 'a'],
      ['2000', long(), 'ab'.repeat(1000), 'ab'.repeat(1000)],
      ['10', long(), 'ab'.repeat(1000), null],
      ['10', broken(), 'broken', null],
    ] as const) {
      const answer = stream({ 'content-length': length }, chunks)
      const held = holdAnswerBody(answer, 'GET', 5000)
      expect(await answer.text().catch(() => 'broken')).toBe(sent)
      expect(held?.kind === 'held' ? await held.read() : held).toBe(expected)
    }
  })

  test('is not waited for where a stream does not end', async () => {
    const never = new ReadableStream({ pull: () => new Promise(() => undefined) })
    const answer = new Response(never, { headers: { ...JSON_TYPE, 'content-length': '10' } })
    const held = holdAnswerBody(answer, 'GET', 100)
    expect(held?.kind === 'held' ? await held.read() : held).toBe(null)
  })

  test('is not taken from whoever reads it already', () => {
    const answer = stream({ 'content-length': '1' })
    answer.body?.getReader()
    expect(shown(holdAnswerBody(answer, 'GET', 100))).toBe('[stream]')
  })

  test.each<[() => Response, BodySize]>([
    [() => new Response('hello'), 5],
    [() => new Response('x'.repeat(2048)), 2048],
    [() => new Response('hello', { headers: { a: 'Blob (9 bytes)\t  Blob (9 bytes)' } }), 5],
    [() => stream({ a: 'Blob (9 bytes)' }), 'stream'],
    [() => new Response(Bun.file(import.meta.path), { headers: { a: 'ReadableStream {' } }), 'unknown'],
    [() => new Response(Bun.file(import.meta.path).slice(0, 1)), 'unknown'],
    [() => new Response(null), 'none'],
    [() => new Response(''), 'none'],
    [() => new Response('hello', { headers: { a: 'x'.repeat(4095) } }), 5],
    [() => new Response('hello', { headers: { a: 'x'.repeat(4096) } }), 'unknown'],
  ])('its size is what Bun says of it: %#', (make, size) => expect(memorySizeOf(make())).toBe(size))
})

describe('a text that is cut', () => {
  test.each([
    ['hello', 5, 'hello'],
    ['hello', 4, 'hell [cut, 5 bytes]'],
    ['häh', 2, 'h [cut, 4 bytes]'],
    ['😀😀', 7, '😀 [cut, 8 bytes]'],
  ])('%p to %i bytes', (text, most, expected) => expect(cutToBytes(text, most)).toBe(expected))

  test('ends between two characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(60), (text, most) => {
        const cut = cutToBytes(text, most)
        const size = Buffer.byteLength(text)
        if (size <= most) return expect(cut).toBe(text)
        const end = ` [cut, ${size} bytes]`
        expect(cut).toEndWith(end)
        const kept = cut.slice(0, -end.length)
        expect(text.startsWith(kept)).toBe(true)
        expect(kept.isWellFormed()).toBe(true)
        // No character is longer than four bytes.
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(most)
        expect(Buffer.byteLength(kept)).toBeGreaterThan(most - 4)
      }),
    )
  })

  test.each([
    ['\0', true],
    ['\ufffd', true],
    ['a\n', false],
  ])('%p is binary: %p', (text, is) => {
    expect(isBinary(text)).toBe(is)
  })
})
