/** `onDenied` answers with a `Response` or not at all: nothing else it returns lifts or softens a refusal. */
import { describe, expect, test } from 'bun:test'
import type { MachineAuthOptions } from '../../src/index.ts'
import { withLog } from '../guards/support.ts'
import { createTestApp } from '../support/test-app.ts'

type OnDenied = NonNullable<MachineAuthOptions['onDenied']>

/** A query builder is such a thing: it has a `then`, but is no `Promise`. */
function thenable(answer: unknown): object {
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested
  return { then: (resolve: (value: unknown) => void) => resolve(answer) }
}

const ANSWERS: readonly (readonly [string, () => unknown])[] = [
  ['a thenable of nothing', () => thenable(undefined)],
  ['a thenable of rows', () => thenable([{ id: 1 }])],
  ['a text', () => 'no'],
  ['false', () => false],
  ['an object', () => ({ a: 1 })],
  ['a promise of a text', () => Promise.resolve('no')],
]

describe.each(ANSWERS)('%s', (_, answer) => {
  test.each(['/closed/x', '/key'])('is no answer: %s', async (path) => {
    const onDenied = answer as OnDenied
    const protect = [{ path: '/closed', require: { apiKey: true } }] as const
    await using t = await createTestApp({ onDenied, protect }, (app) => app.get('/closed/x', () => 'secret'))
    const { result } = await withLog(() => t.ask(path))
    expect(result.text).not.toContain('secret')
    expect(result.said).toBe('401 credential_missing')
  })
})
