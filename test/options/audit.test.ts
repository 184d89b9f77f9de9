import { describe, expect, test } from 'bun:test'
import { tmpdir } from 'node:os'
import type { DurationInput } from '../../src/lib/duration.ts'
import { OptionsError } from '../../src/options/mistakes.ts'
import { resolveOptions } from '../../src/options/resolve.ts'
import { SECRET } from '../support/services.ts'

const resolve = (retention?: DurationInput) =>
  resolveOptions({ secret: SECRET, audit: retention === undefined ? {} : { retention } }, { env: {}, cwd: tmpdir() })
    .audit

describe('audit.retention', () => {
  test.each([
    [undefined, null],
    ['90d', 90 * 86_400_000],
    [3600, 3_600_000],
  ])('%p keeps events for %p ms', (given, expected) => {
    expect(resolve(given)).toEqual({ retention: expected })
  })

  test.each(['0s', 0, 'a while', -1])('%p is refused', (given) => {
    expect(() => resolve(given)).toThrow(/audit\.retention/)
    expect(() => resolve(given)).toThrow(OptionsError)
  })
})
