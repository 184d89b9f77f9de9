import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Example, findPrinted, request, START_TIMEOUT, startExample } from './support.ts'

let example: Example
const keys: Record<string, { readonly 'x-api-key': string }> = {}

beforeAll(async () => {
  example = await startExample('examples/ownership.ts')
  for (const name of ['alice', 'bob', 'mia']) {
    keys[name] = { 'x-api-key': findPrinted(example, new RegExp(`${name}: X-API-Key: (\\S+)`)) }
  }
}, START_TIMEOUT)
afterAll(() => example[Symbol.asyncDispose]())

const MOVE = { text: 'Still mine.', folderId: 'a' }

test.each([
  ['GET /notes/1', undefined, { anonymous: 401, alice: 200, bob: 404, mia: 200 }],
  ['GET /notes/9', undefined, { anonymous: 401, alice: 404, bob: 404, mia: 404 }],
  // Mia may moderate the note, but the folder it goes to is not hers.
  ['PUT /notes/1', MOVE, { anonymous: 401, alice: 200, bob: 404, mia: 403 }],
  ['PUT /notes/1', { ...MOVE, folderId: 'b' }, { anonymous: 401, alice: 404, bob: 404, mia: 404 }],
  ['PUT /notes/1', { text: 7 }, { anonymous: 401, alice: 422, bob: 404, mia: 422 }],
  ['DELETE /notes/1', undefined, { anonymous: 401, bob: 404, mia: 200, alice: 404 }],
])('%s %j', async (target, body, statuses) => {
  const answered: Record<string, number> = {}
  for (const name of Object.keys(statuses)) {
    answered[name] = (await request(example.origin, target, { headers: keys[name] ?? {}, body })).status
  }
  expect(answered).toEqual(statuses)
})
