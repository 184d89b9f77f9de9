import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Example, findPrinted, request, START_TIMEOUT, startExample } from './support.ts'

let example: Example
let key: { readonly 'x-api-key': string }

beforeAll(async () => {
  example = await startExample('examples/limits.ts')
  key = { 'x-api-key': findPrinted(example, /X-API-Key: (\S+)/) }
}, START_TIMEOUT)
afterAll(() => example[Symbol.asyncDispose]())

async function outcomesOf(
  target: string,
  times: number,
  options: Parameters<typeof request>[2] = {},
): Promise<readonly string[]> {
  const outcomes: string[] = []
  for (let time = 0; time < times; time += 1) {
    const { status, body } = await request(example.origin, target, options)
    outcomes.push(status < 400 ? String(status) : `${status} ${body.code}`)
  }
  return outcomes
}

describe('counts', () => {
  test('every request for the default limit, unknown paths too', async () => {
    const root = await request(example.origin, 'GET /')
    const unknown = await request(example.origin, 'GET /nothing')
    expect(root.headers.get('ratelimit-policy')).toBe('"default";q=100;w=60')
    const left = [root, unknown].map(({ headers }) => Number(headers.get('x-ratelimit-remaining')))
    expect(left[1]).toBe((left[0] ?? 0) - 1)
  })

  test('for all limits of a route or for none', async () => {
    expect(await outcomesOf('GET /search', 4)).toEqual(['200', '200', '200', '429 rate_limited'])
    const { headers } = await request(example.origin, 'GET /search')
    expect(headers.get('ratelimit-policy')).toBe('"minute";q=3;w=60, "day";q=1000;w=86400')
    // What the first limit refused was not taken from the second.
    expect(headers.get('ratelimit')).toMatch(/^"minute";r=0;t=\d+, "day";r=997;t=\d+$/)
    expect(Number(headers.get('retry-after'))).toBeWithin(1, 61)
  })

  test('what a request costs', async () => {
    expect(await outcomesOf('GET /export?all', 2)).toEqual(['200', '429 rate_limited'])
    expect(await outcomesOf('GET /export', 3)).toEqual(['200', '200', '429 rate_limited'])
  })

  test('requests at once, for each key', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => request(example.origin, 'GET /render', { headers: key })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 429, 429])
    expect((await request(example.origin, 'GET /render', { headers: key })).status).toBe(200)
  })

  test('the uses of a key, down to the last', async () => {
    // Two of three were taken above; what was refused took none.
    expect(await outcomesOf('GET /report', 2, { headers: key })).toEqual(['200', '429 quota_exceeded'])
    const { body, headers } = await request(example.origin, 'GET /report', { headers: key })
    expect(body.resetsAt).toMatch(/^\d{4}-\d{2}-01T00:00:00\.000Z$/)
    expect(headers.get('ratelimit-policy')).toContain('"key";q=20;w=60')
  })

  test('in a handler, by what the body says', async () => {
    expect(await outcomesOf('POST /messages', 1, { body: { kind: 'note' } })).toEqual(['200'])
    const mails = await outcomesOf('POST /messages', 3, { body: { kind: 'mail' } })
    expect(mails).toEqual(['200', '200', '429 rate_limited'])
  })
})

test('locks out whoever exceeds a limit, on its path', async () => {
  expect(await outcomesOf('POST /codes/1', 5)).toEqual(['200', '200', '200', '429 locked_out', '429 locked_out'])
  const { headers } = await request(example.origin, 'POST /codes/2')
  expect(Number(headers.get('retry-after'))).toBeWithin(3500, 3601)
  expect(await outcomesOf('GET /', 1)).toEqual(['200'])
})

test('blocks the address of a spammer, on that path', async () => {
  const spam = await outcomesOf('POST /messages', 2, { body: { kind: 'spam' } })
  expect(spam).toEqual(['200', '403 address_blocked'])
  expect(await outcomesOf('GET /', 1)).toEqual(['200'])
})

test('leaves no file behind', () => {
  expect(example.files()).toEqual([])
})
