import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { weaknessOf } from '../../src/options/secrets.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

const OLD = 'an-old-secret-Zk3v9QpLx7Tn2RbWmQe4'
const WRITE = ['secret', 'generate', '--write', '.env']

let cli: CliDirectory
let file: string
beforeEach(() => {
  cli = createDirectory()
  file = join(cli.path, '.env')
})
afterEach(() => cli[Symbol.dispose]())

const text = () => readFileSync(file, 'utf8')
const mode = () => statSync(file).mode & 0o777
const entryOf = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text())?.[1] ?? ''

describe('secret generate', () => {
  test('prints a new strong secret each time, and writes nothing', async () => {
    const [one, two] = [await cli.run(['secret', 'generate']), await cli.run(['secret', 'generate'])]
    expect(one.out).toMatch(/^[\w-]{43}\n$/)
    expect(weaknessOf(one.out.trim())).toBeNull()
    expect(one.out).not.toBe(two.out)
    expect(Object.keys(await must(cli, ['secret', 'generate']))).toEqual(['secret'])
    expect(Object.keys(await must(cli, ['secret', 'generate', '--master-key']))).toEqual(['masterKey'])
    expect(readdirSync(cli.path)).toEqual([])
  })

  test('--keep-old without a file is a usage error', async () => {
    expect((await cli.run(['secret', 'generate', '--keep-old'])).code).toBe(2)
  })

  test('writes it into a new file that only its owner can read, and does not print it', async () => {
    const run = await cli.run(WRITE)
    expect([run.code, mode(), text()]).toEqual([0, 0o600, expect.stringMatching(/^MACHINE_AUTH_SECRET=[\w-]{43}\n$/)])
    expect(run.out + run.err).not.toContain(entryOf('MACHINE_AUTH_SECRET'))
    expect(readdirSync(cli.path)).toEqual(['.env'])
  })

  test('keeps all other bytes, narrows the mode, and leaves no draft', async () => {
    const others = Buffer.concat([
      Buffer.from('A=1\r\n# caf'),
      Buffer.from([0xe9, 0xff, 0x00]),
      Buffer.from('\r\nB="x y"'),
    ])
    writeFileSync(file, others, { mode: 0o644 })
    await must(cli, [...WRITE, '--master-key'])
    const bytes = readFileSync(file)
    expect(bytes.subarray(0, others.length)).toEqual(others)
    expect(bytes.subarray(others.length).toString()).toMatch(/^\r\nMACHINE_AUTH_MASTER_KEY=[\w-]{43}\r\n$/)
    expect([mode(), readdirSync(cli.path)]).toEqual([0o600, ['.env']])
  })
})

describe('where a secret is set already', () => {
  beforeEach(() => writeFileSync(file, `A=1\nMACHINE_AUTH_SECRET=${OLD}\nB=2\n`, { mode: 0o640 }))

  test('nothing changes without a terminal: exit 2, with what to add', async () => {
    const before = text()
    const run = await cli.run(WRITE)
    expect([run.code, run.out, text(), mode()]).toEqual([2, '', before, 0o640])
    expect(run.err).toContain('--keep-old')
    expect(run.err).toContain('refused for good')
    expect(run.err).not.toContain(OLD)
  })

  test.each(['\n', 's\n', 'y\n', '\u0003'])('nothing changes for the answer %j', async (stdin) => {
    const before = text()
    const run = await cli.run(WRITE, { isTTY: true, stdin })
    expect([run.code, run.out, text()]).toEqual([1, '', before])
    expect(run.err).not.toContain(OLD)
  })

  test.each([
    { name: '--keep-old', args: ['--keep-old'], input: {} },
    { name: 'the answer keep', args: [], input: { isTTY: true, stdin: 'k\n' } },
  ])('$name makes a list, newest first, under which old keys go on working', async ({ args, input }) => {
    const env = { MACHINE_AUTH_SECRET: OLD }
    const { rawKey } = await must(cli, ['key', 'create', '--name', 'CI'], { env })
    expect((await cli.run([...WRITE, ...args], input)).code).toBe(0)
    const [made, old] = entryOf('MACHINE_AUTH_SECRET').split(',')
    expect([old, made]).toEqual([OLD, expect.stringMatching(/^[\w-]{43}$/)])
    expect([text().startsWith('A=1\n'), text().endsWith('\nB=2\n')]).toEqual([true, true])
    const withBoth = { MACHINE_AUTH_SECRET: entryOf('MACHINE_AUTH_SECRET') }
    const verdict = await cli.run(['key', 'verify', '--key-stdin'], { stdin: rawKey, env: withBoth })
    expect(verdict.code).toBe(0)
  })

  test.each([
    { name: '--yes', args: ['--yes'], input: {} },
    { name: 'the answer replace', args: [], input: { isTTY: true, stdin: 'r\n' } },
  ])('$name replaces it', async ({ args, input }) => {
    expect((await cli.run([...WRITE, ...args], input)).code).toBe(0)
    expect([text().includes(OLD), entryOf('MACHINE_AUTH_SECRET').length, mode()]).toEqual([false, 43, 0o600])
  })

  test('a master key is no reason to ask', async () => {
    await must(cli, [...WRITE, '--master-key'])
    expect([entryOf('MACHINE_AUTH_SECRET'), entryOf('MACHINE_AUTH_MASTER_KEY').length]).toEqual([OLD, 43])
  })
})

describe('refuses', () => {
  test('a symbolic link, and changes neither it nor its file', async () => {
    writeFileSync(join(cli.path, 'real'), 'A=1\n')
    symlinkSync('real', file)
    const run = await cli.run(WRITE)
    expect([run.code, run.err]).toEqual([1, expect.stringContaining('is a symbolic link: name the file')])
    expect([lstatSync(file).isSymbolicLink(), readFileSync(join(cli.path, 'real'), 'utf8')]).toEqual([true, 'A=1\n'])
    expect(readdirSync(cli.path).sort()).toEqual(['.env', 'real'])
  })

  test('a directory', async () => {
    mkdirSync(file)
    expect((await cli.run(WRITE)).err).toContain('is no regular file')
    expect(readdirSync(cli.path)).toEqual(['.env'])
  })
})
