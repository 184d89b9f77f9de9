import { describe, expect, test } from 'bun:test'
import { failure, resolve, SECRET } from './support.ts'

const json = (options: unknown) => ({ 'machine-auth.config.json': JSON.stringify(options) })
const DAY = 86_400_000

describe('MACHINE_AUTH_LOGGING', () => {
  const env = { MACHINE_AUTH_SECRET: SECRET, MACHINE_AUTH_LOGGING: 'metadata_only' }

  test.each<[string, object, object, object]>([
    ['gives the mode', {}, {}, { mode: 'metadata_only', retention: 30 * DAY }],
    [
      'goes with the other members of code',
      { logging: { retention: '7d' } },
      {},
      { mode: 'metadata_only', retention: 7 * DAY },
    ],
    ['goes with the other members of a file', {}, { logging: { maxBody: 10 } }, { mode: 'metadata_only', maxBody: 10 }],
    ['yields to the mode of code', { logging: { mode: 'off' } }, {}, { mode: 'off' }],
    ['yields to the mode of a file', {}, { logging: { mode: 'redacted' } }, { mode: 'redacted' }],
  ])('%s', (_name, options, file, expected) => {
    expect(resolve({ options, files: json(file), env }).logging).toMatchObject(expected)
  })

  test('counts as unset when empty', () => {
    expect(resolve({ env: { ...env, MACHINE_AUTH_LOGGING: '' } }).logging.mode).toBe('off')
  })

  test('with another word is a mistake of the variable', () => {
    const options = { logging: { retention: '7d' } }
    expect(failure({ options, env: { ...env, MACHINE_AUTH_LOGGING: 'verbose' } }).mistakes).toEqual([
      {
        path: 'logging.mode',
        source: 'MACHINE_AUTH_LOGGING',
        given: '"verbose"',
        accepted: "'off' or 'metadata_only' or 'redacted' or 'raw'",
      },
    ])
  })

  test('does not name what code gives', () => {
    const { mistakes } = failure({ options: { logging: { retention: '0s' } }, env })
    expect(mistakes.map(({ path, source }) => [path, source])).toEqual([['logging.retention', undefined]])
  })
})

describe('MACHINE_AUTH_REDIS', () => {
  const env = { MACHINE_AUTH_SECRET: SECRET, MACHINE_AUTH_REDIS: 'redis://:hunter2@cache' }

  test('gives the URL', () => {
    expect(resolve({ env }).redis).toBe('redis://:hunter2@cache')
  })

  test.each<[string, object, object]>([
    ['code', { redis: 'redis://code' }, {}],
    ['a file', {}, { redis: 'redis://code' }],
  ])('yields to %s', (_name, options, file) => {
    expect(resolve({ options, files: json(file), env }).redis).toBe('redis://code')
  })

  test('counts as unset when empty', () => {
    expect(resolve({ env: { ...env, MACHINE_AUTH_REDIS: '' } }).redis).toBeNull()
  })

  test.each([
    'http://:hunter2@cache',
    'redis:hunter2@cache',
    ':hunter2@cache',
    'hunter2',
    'user:hunter2',
    'redis://:hunter2@',
    'redis://:hunter2@cache/1?db=2',
    'redis://:hunter2@cache\n',
  ])('with %p is refused without being shown', (MACHINE_AUTH_REDIS) => {
    const error = failure({ env: { ...env, MACHINE_AUTH_REDIS } })
    expect(error.mistakes).toEqual([
      {
        path: 'redis',
        source: 'MACHINE_AUTH_REDIS',
        given: expect.stringContaining('***'),
        accepted: expect.stringContaining("'redis://127.0.0.1:6379'"),
      },
    ])
    expect(Bun.inspect(error)).not.toContain('hunter2')
  })

  test('is not taken for what Kubernetes makes of a service', () => {
    const { warnings } = resolve({
      env: { MACHINE_AUTH_SECRET: SECRET, MACHINE_AUTH_REDIS_SERVICE_HOST: 'x', MACHINE_AUTH_REDIS_PORT: 'tcp://x' },
    })
    expect(warnings).toEqual([])
  })
})
