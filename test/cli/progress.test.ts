import { expect, test } from 'bun:test'
import { createProgress } from '../../src/cli/terminal/progress.ts'

function shown(isTTY: boolean, all: number): string {
  let text = ''
  const progress = createProgress({ isTTY, stderr: { write: (part) => (text += part) } }, 'events')
  progress.show(500, all)
  progress.end()
  return text
}

test.each([
  ['who looks at something long sees it', true, 20_000, '\r500 of 20,000 events\r\u001b[K'],
  ['what is short is over before', true, 9999, ''],
  ['nobody looks', false, 20_000, ''],
])('%s', (_, isTTY, all, expected) => {
  expect(shown(isTTY, all)).toBe(expected)
})

test.each([
  ['what nobody knows the whole of', true, 12_000, '\r12,000 events\r\u001b[K'],
  ['little of it', true, 9999, ''],
  ['it where nobody looks', false, 12_000, ''],
])('counting %s', (_, isTTY, done, expected) => {
  let text = ''
  const progress = createProgress({ isTTY, stderr: { write: (part) => (text += part) } }, 'events')
  progress.count(done)
  progress.end()
  expect(text).toBe(expected)
})
