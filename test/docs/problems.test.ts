import { expect, test } from 'bun:test'
import { STATUS_CODES } from 'node:http'
import { ProblemResponses } from '../../src/docs/problems.ts'
import { ERROR_CODES, statusOf } from '../../src/errors.ts'

const REFUSALS = [...new Set(ERROR_CODES.map(statusOf))].filter((status) => status < 500)

test.each(REFUSALS)('%d is described in more than its name', (status) => {
  const { description = '' } = new ProblemResponses([]).responseOf(status)
  expect(description.length).toBeGreaterThan(`${STATUS_CODES[status]}.`.length)
  expect(description).toEndWith('.')
})

test('409 tells of both: what exists, and what is not finished', () => {
  expect(new ProblemResponses([]).responseOf(409).description).toMatch(/exists already.+Idempotency-Key/)
})
