import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { defineConfig } from '../../src/options/define.ts'
import { failure, resolve, SECRET } from './support.ts'

const TS = 'machine-auth.config.ts'
const JSON_FILE = 'machine-auth.config.json'
const DEFINE = JSON.stringify(join(import.meta.dir, '../../src/options/define.ts'))

describe('machine-auth.config.ts', () => {
  test('gives the options of its default export, functions included', () => {
    const resolved = resolve({
      files: {
        [TS]: `import { defineConfig } from ${DEFINE}
          const issuer: string = 'from-ts'
          export default defineConfig({
            secret: '${SECRET}',
            jwt: { issuer },
            roles: { admin: ['*'], editor: ['posts.*'] },
            users: { load: (id) => ({ id, plan: 'free' }) },
          })`,
      },
    })
    expect(resolved.jwt.issuer).toBe('from-ts')
    expect(Object.keys(resolved.roles)).toEqual(['admin', 'editor'])
    expect(resolved.users.load?.('u1')).toEqual({ id: 'u1', plan: 'free' })
  })

  test.each([
    ['no default export', 'export const options = {}'],
    ['a default export that is no object', 'export default 5'],
    ['a list', 'export default []'],
    ['a syntax error', 'export default {'],
    ['a missing import', "import { nothing } from './nowhere.ts'\nexport default { prefix: nothing }"],
    ['an error of its own', "throw new Error('secret hunter2')"],
  ])('%s is a mistake', (_name, content) => {
    const error = failure({ options: { secret: SECRET }, files: { [TS]: content } })
    expect(error.mistakes).toHaveLength(1)
    expect(error.mistakes[0]).toMatchObject({ path: TS, accepted: expect.stringContaining('export default') })
    expect(error.message).not.toContain('hunter2')
  })

  test("a module's own error stays findable as the cause", () => {
    const error = failure({ options: { secret: SECRET }, files: { [TS]: "throw new RangeError('mine')" } })
    expect(error.cause).toBeInstanceOf(RangeError)
  })

  test('mistakes in it carry its name', () => {
    const files = { [TS]: `export default { secret: '${SECRET}', jwt: { accessTtl: 'soon' } }` }
    expect(failure({ files }).message).toContain(`jwt.accessTtl (${TS}): given "soon"`)
  })
})

describe('machine-auth.config.json', () => {
  test('gives its options, also behind a byte order mark', () => {
    const content = `\ufeff${JSON.stringify({ secret: SECRET, prefix: '/file' })}`
    expect(resolve({ files: { [JSON_FILE]: content } }).prefix).toBe('/file')
  })

  test.each(['', '{', 'null', '[]', '"x"', '{"secret": hunter2}'])('%j is a mistake', (content) => {
    const error = failure({ options: { secret: SECRET }, files: { [JSON_FILE]: content } })
    expect(error.mistakes).toMatchObject([{ path: JSON_FILE }])
    expect(Bun.inspect(error)).not.toContain('hunter2')
  })
})

test('two config files are a mistake: one would be passed over in silence', () => {
  const files = { [TS]: 'export default {}', [JSON_FILE]: '{}' }
  expect(failure({ options: { secret: SECRET }, files }).mistakes).toMatchObject([{ path: JSON_FILE }])
})

test('defineConfig returns its argument', () => {
  const options = { roles: { admin: ['*'] } } as const
  expect(defineConfig(options)).toBe(options)
  // @ts-expect-error a misspelled option
  defineConfig({ sesions: {} })
  // @ts-expect-error a value of the wrong type
  defineConfig({ jwt: { algorithm: 'none' } })
})
