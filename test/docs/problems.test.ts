import { expect, test } from 'bun:test'
import { STATUS_CODES } from 'node:http'
import { ProblemResponses } from '../../src/docs/problems.ts'
import { ERROR_CODES, statusOf } from '../../src/errors.ts'

const REFUSALS = [...new Set(ERROR_CODES.map(statusOf))].filter((status) => status !== 500 && status !== 503)

test.each(REFUSALS)('%d is described in more than its name', (status) => {
  const { description = '' } = new ProblemResponses([]).responseOf(status)
  expect(description.length).toBeGreaterThan(`${STATUS_CODES[status]}.`.length)
  expect(description).toEndWith('.')
})

test('409 tells of both: what exists, and what is not finished', () => {
  expect(new ProblemResponses([]).responseOf(409).description).toMatch(/exists already.+Idempotency-Key/)
})

test('503 is described once, and referred to', () => {
  const problems = new ProblemResponses(['Problem'])
  expect(problems.responses).toEqual({})
  const references = [problems.responseOf(503), problems.responseOf(503)]
  expect(references).toEqual(references.map(() => ({ $ref: '#/components/responses/StorageUnavailable' })))
  expect(problems.responses).toMatchObject({
    StorageUnavailable: {
      description: expect.stringMatching(/database.+limits.+`Retry-After`/),
      headers: { 'Retry-After': { schema: { type: 'integer' } } },
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/MachineAuthProblem503' },
          example: { status: 503, code: 'storage_unavailable', retryable: true, retryAfter: 1 },
        },
      },
    },
  })
})
