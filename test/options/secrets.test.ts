import { describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { resolveOptions } from '../../src/options/resolve.ts'
import { makeSecret, readOrCreateSecret } from '../../src/options/secret-file.ts'
import { weaknessOf } from '../../src/options/secrets.ts'
import { failure, MASTER_KEY, OTHER_SECRET, resolve, SECRET, temporaryDirectory } from './support.ts'

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

describe('a weak secret is refused in every mode', () => {
  const WEAK: readonly string[] = [
    '',
    'short',
    'x'.repeat(31),
    'é'.repeat(15),
    'x'.repeat(32),
    'x'.repeat(500),
    'ab'.repeat(40),
    'secret'.repeat(8),
    '12345678'.repeat(5),
    'aabbaabbaabbaabbabababababababab',
    'change-me',
    'change-me-change-me-change-me-please!',
    'CHANGE_ME_0123456789_abcdefghijklmnop',
    'super-secret-admin-key-change-me',
    'this-is-my-secret-for-the-application-01',
    'My_Secret_8f3a9c1e7b2d4f6a8c0e1b3d5f7a9c',
    'password-8f3a9c1e7b2d4f6a8c0e1b3d5f7a9c1e',
    'P.a.s.s.w.o.r.d-8f3a9c1e7b2d4f6a8c0e1b3d',
  ]

  test.each(WEAK)('%j', (weak) => {
    for (const NODE_ENV of ['production', 'development']) {
      for (const option of ['secret', 'masterKey']) {
        const options = { secret: SECRET, [option]: weak }
        const { mistakes, message } = failure({ options, env: { NODE_ENV } })
        expect(mistakes).toHaveLength(1)
        expect(mistakes[0]?.path).toBe(option)
        expect(mistakes[0]?.accepted).toContain('32')
        if (weak.length > 8) expect(message).not.toContain(weak)
      }
    }
  })

  test('also as an older one of a list, and from the environment', () => {
    expect(failure({ options: { secret: [SECRET, 'short'] } }).mistakes[0]?.path).toBe('secret[1]')
    expect(failure({ env: { MACHINE_AUTH_SECRET: 'short' } }).mistakes[0]).toMatchObject({
      path: 'secret',
      source: 'MACHINE_AUTH_SECRET',
      given: '*** (5 bytes)',
    })
  })

  test.each([
    SECRET,
    'correct horse battery staple, four words and some',
    'a-test-value-that-nobody-else-would-ever-use',
    '0123456789abcdef0123456789abcdef',
    'é'.repeat(3) + SECRET.slice(6),
  ])('%j is fine', (secret) => {
    expect(resolve({ options: { secret } }).secrets).toEqual([secret])
  })

  test('no random secret is ever taken for a weak one', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((given) => new Set(given).size > 20)
    fc.assert(
      fc.property(bytes, (given) => {
        const buffer = Buffer.from(given)
        expect(weaknessOf(buffer.toString('base64url'))).toBeNull()
        expect(weaknessOf(buffer.toString('hex'))).toBeNull()
      }),
    )
    for (let round = 0; round < 1000; round += 1) expect(weaknessOf(makeSecret())).toBeNull()
  })
})

describe('the master key', () => {
  test.each<[string | string[], string | string[]]>([
    [SECRET, SECRET],
    [[OTHER_SECRET, SECRET], SECRET],
    [SECRET, [MASTER_KEY, SECRET]],
  ])('is never a secret: %#', (secret, masterKey) => {
    const { mistakes } = failure({ options: { secret, masterKey } })
    expect(mistakes).toMatchObject([{ path: 'masterKey', given: '*** (equal to a secret)' }])
  })

  test('equal to a secret is told together with other mistakes', () => {
    const { mistakes } = failure({ options: { secret: SECRET, masterKey: SECRET, prefix: 'x' } })
    expect(mistakes.map(({ path }) => path)).toEqual(['prefix', 'masterKey'])
  })

  test('rotates as a list', () => {
    expect(resolve({ options: { secret: SECRET, masterKey: [MASTER_KEY, OTHER_SECRET] } }).masterKeys).toEqual([
      MASTER_KEY,
      OTHER_SECRET,
    ])
  })

  test('is not the secret that development keeps in its file', () => {
    using directory = temporaryDirectory()
    const first = resolveOptions({}, { env: {}, cwd: directory.path })
    const masterKey = first.secrets[0] ?? ''
    expect(() => resolveOptions({ masterKey }, { env: {}, cwd: directory.path })).toThrow('equal to a secret')
  })
})

describe('without a secret', () => {
  test.each<[string, Record<string, string>]>([
    ['production', { NODE_ENV: 'production' }],
    ['production, empty variable', { NODE_ENV: 'production', MACHINE_AUTH_SECRET: '' }],
    ['production in memory', { NODE_ENV: 'production', MACHINE_AUTH_DATABASE: 'sqlite::memory:' }],
    ['staging', { NODE_ENV: 'staging' }],
    ['PostgreSQL in development', { MACHINE_AUTH_DATABASE: 'postgres://localhost/app' }],
    ['postgresql:// in a test', { NODE_ENV: 'test', MACHINE_AUTH_DATABASE: 'postgresql://localhost/app' }],
  ])('%s refuses to start', (_name, env) => {
    const { mistakes } = failure({ env })
    expect(mistakes).toMatchObject([{ path: 'secret', given: 'nothing' }])
    expect(mistakes[0]?.accepted).toContain('MACHINE_AUTH_SECRET')
  })

  test("so does an app's own PostgreSQL database", () => {
    class PgDatabase {}
    Object.defineProperty(PgDatabase, Symbol.for('drizzle:entityKind'), { value: 'PgDatabase' })
    const { mistakes } = failure({ options: { database: { db: new PgDatabase() } } })
    expect(mistakes).toMatchObject([{ path: 'secret', accepted: expect.stringContaining('PostgreSQL') }])
  })

  test('SQLite in development makes one, keeps it to its owner, and warns', () => {
    using directory = temporaryDirectory()
    const environment = { env: {}, cwd: directory.path }
    const first = resolveOptions({}, environment)
    const path = join(directory.path, '.machine-auth')

    expect(first.secrets).toHaveLength(1)
    expect(Buffer.from(first.secrets[0] ?? '', 'base64url')).toHaveLength(32)
    expect(first.warnings).toEqual([expect.stringContaining('one was made and is kept in .machine-auth/secret')])
    expect(first.warnings.join()).not.toContain(first.secrets[0])
    expect([modeOf(path), modeOf(join(path, 'secret'))]).toEqual(['700', '600'])
    expect(readdirSync(path).sort()).toEqual(['.gitignore', 'secret'])
    expect(readFileSync(join(path, '.gitignore'), 'utf8')).toBe('*\n')

    const second = resolveOptions({}, environment)
    expect(second.secrets).toEqual(first.secrets)
    expect(second.warnings).toEqual([expect.stringContaining('the one in .machine-auth/secret is used')])
  })

  test('SQLite in memory makes one for the process and writes nothing', () => {
    using directory = temporaryDirectory()
    const environment = { env: { MACHINE_AUTH_DATABASE: 'sqlite::memory:' }, cwd: directory.path }
    const secrets = [resolveOptions({}, environment), resolveOptions({}, environment)].map(({ secrets }) => secrets[0])
    expect(new Set(secrets).size).toBe(2)
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('nothing is written when a secret is given, or when another option is wrong', () => {
    using directory = temporaryDirectory()
    const environment = { env: {}, cwd: directory.path }
    resolveOptions({ secret: SECRET }, environment)
    expect(() => resolveOptions({ prefix: 'wrong' }, environment)).toThrow('prefix')
    expect(existsSync(join(directory.path, '.machine-auth'))).toBe(false)
  })
})

describe('the secret file', () => {
  async function readLines(output: { read(): Promise<{ value?: Uint8Array | undefined }> }): Promise<string[]> {
    const chunks: Uint8Array[] = []
    for (let chunk = await output.read(); chunk.value !== undefined; chunk = await output.read())
      chunks.push(chunk.value)
    return Buffer.concat(chunks).toString().trim().split('\n')
  }

  function withFile(content: string, mode: number) {
    const directory = temporaryDirectory()
    mkdirSync(join(directory.path, '.machine-auth'))
    const path = join(directory.path, '.machine-auth', 'secret')
    writeFileSync(path, content)
    chmodSync(path, mode)
    return directory
  }

  test.each([0o644, 0o640, 0o604, 0o660])('that others can read (%o) is used with a warning', (mode) => {
    using directory = withFile(`${SECRET}\n`, mode)
    expect(readOrCreateSecret(directory.path)).toMatchObject({
      secret: SECRET,
      warning: expect.stringContaining('chmod 600'),
    })
  })

  test('of its owner alone gives no such advice', () => {
    using directory = withFile(SECRET, 0o600)
    expect(readOrCreateSecret(directory.path)).toMatchObject({ warning: expect.not.stringContaining('chmod') })
  })

  test.each(['', '\n', 'short', 'x'.repeat(64)])('that holds %j is refused, and left alone', (content) => {
    using directory = withFile(content, 0o600)
    expect(() => resolveOptions({}, { env: {}, cwd: directory.path })).toThrow('delete it to have a new one made')
    expect(readFileSync(join(directory.path, '.machine-auth', 'secret'), 'utf8')).toBe(content)
  })

  test('that cannot be made is a mistake that says what to do', () => {
    using directory = temporaryDirectory({ '.machine-auth': 'a file in the way' })
    expect(() => resolveOptions({}, { env: {}, cwd: directory.path })).toThrow('MACHINE_AUTH_SECRET')
  })

  test('processes that start together agree on one secret', async () => {
    using directory = temporaryDirectory()
    const places = Array.from({ length: 40 }, (_, index) => join(directory.path, String(index)))
    for (const place of places) mkdirSync(place)
    const module = join(import.meta.dir, '../../src/options/secret-file.ts')
    const code = `const { readOrCreateSecret } = await import(${JSON.stringify(module)})
      console.log('ready')
      await Bun.stdin.text()
      for (const place of ${JSON.stringify(places)}) console.log(JSON.stringify(readOrCreateSecret(place)))`
    const processes = Array.from({ length: 3 }, () => Bun.spawn(['bun', '-e', code], { stdin: 'pipe', stdout: 'pipe' }))
    const outputs = processes.map(({ stdout }) => stdout.getReader())
    // Each waits for the end of its input; it comes when all are ready.
    const heads = await Promise.all(outputs.map((output) => output.read()))
    expect(heads.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual(['ready\n', 'ready\n', 'ready\n'])
    for (const process of processes) process.stdin.end()
    const results = await Promise.all(outputs.map(readLines))
    expect(results[0]).toHaveLength(places.length)
    const secrets = results.map((lines) => lines.map((line): unknown => JSON.parse(line).secret))
    expect(secrets[0]?.every((secret) => /^[A-Za-z0-9_-]{43}$/.test(String(secret)))).toBe(true)
    expect(secrets[1]).toEqual(secrets[0])
    expect(secrets[2]).toEqual(secrets[0])
    const [first = ''] = places
    expect(readdirSync(join(first, '.machine-auth')).sort()).toEqual(['.gitignore', 'secret'])
  })
})
