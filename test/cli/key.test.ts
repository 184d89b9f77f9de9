import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toTimestamp } from '../../src/lib/timestamp.ts'
import { audited, type CliDirectory, createDirectory, must } from './support.ts'

const DAY = 86_400_000

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

const create = (...args: readonly string[]) => must(cli, ['key', 'create', '--name', 'CI', ...args])
const stored = (id: string) => cli.look(({ keys }) => keys.find(id))
const verify = (rawKey: string, ...args: readonly string[]) =>
  cli.run(['key', 'verify', '--key-stdin', ...args, '--json'], { stdin: rawKey })

describe('key create', () => {
  test('makes what all its options say, and answers as HTTP does', async () => {
    const { id: organizationId } = await must(cli, ['org', 'create', 'Acme'])
    const user = ['user', 'create', 'bob@example.com', '--organization', 'Acme', '--no-password', '--role', 'admin']
    const { id: userId } = await must(cli, user)
    const { key, rawKey } = await create(
      ...['--organization', 'Acme', '--user', 'bob@example.com', '--environment', 'test', '--expires', '90d'],
      ...['--permission', 'machine_auth.keys.view', '--permission', 'machine_auth.blocks.*', '--rate-limit', '100/1m'],
      ...['--quota', '5000', '--credits', '50', '--refill', '10/1d', '--ip', '10.0.0.0/8', '--ip', '2001:db8::1'],
      ...['--description', 'Nightly', '--metadata', '{"team":"ops"}'],
    )
    expect(key).toMatchObject({
      name: 'CI',
      organizationId,
      userId,
      environment: 'test',
      expiresAt: toTimestamp(cli.time.now + 90 * DAY),
      permissions: ['machine_auth.keys.view', 'machine_auth.blocks.*'],
      rateLimit: { limit: 100, window: '1m' },
      monthlyQuota: 5000,
      credits: { remaining: 50, refill: { amount: 10, every: '1d' } },
      ipAllowlist: ['10.0.0.0/8', '2001:db8::1/128'],
      description: 'Nightly',
      metadata: { team: 'ops' },
    })
    expect(rawKey).toStartWith(`${key.prefix}_`)
    expect(await stored(key.id)).toEqual(key)
  })

  test('prints the key once: on the last line of standard output, alone', async () => {
    const run = await cli.run(['key', 'create', '--name', 'CI'])
    const rawKey = run.out.trimEnd().split('\n').at(-1) ?? ''
    expect(run.out.split(rawKey)).toHaveLength(2)
    expect(run.err).not.toContain(rawKey)
    expect((await verify(rawKey)).json).toMatchObject({ valid: true, code: 'valid' })
    for (const args of [['list'], ['show', rawKey.slice(0, 25)]]) {
      const later = await cli.run(['key', ...args])
      expect([later.code, later.out.includes(rawKey.slice(-49))]).toEqual([0, false])
    }
    const events = await cli.run(['audit', 'list', '--json'])
    expect(events.out).not.toContain(rawKey.slice(-49))
  })

  test('takes a moment for its expiry', async () => {
    const { key } = await create('--expires', '2030-06-01T00:00:00Z')
    expect(key.expiresAt).toBe('2030-06-01T00:00:00.000Z')
  })

  test.each([
    {
      args: ['--permission', 'nope.view'],
      code: 1,
      said: '--permission number 1 names no declared permission: nope.view',
    },
    { args: ['--ip', '10.0.0.0/99'], code: 1, said: '--ip number 1 must be an address or range' },
    { args: ['--expires', '2020-01-01T00:00:00Z'], code: 1, said: '--expires must be in the future' },
    { args: ['--rate-limit', '0/1m'], code: 1, said: '--rate-limit must be a whole number from 1' },
    { args: ['--credits', '1', '--refill', '0/1d'], code: 1, said: '--refill must be a whole number from 1' },
    { args: ['--organization', 'Nobody'], code: 1, said: 'no organization' },
    { args: ['--user', 'nobody@example.com'], code: 1, said: 'no user' },
    { args: ['--refill', '1/1d'], code: 2, said: '--refill goes with --credits only' },
    { args: ['--expires', 'soon'], code: 2, said: 'It must be a duration such as 90d' },
    { args: ['--metadata', '[]'], code: 2, said: 'It must be a JSON object.' },
    { args: ['--environment', 'prod'], code: 2, said: 'Allowed choices are live, test' },
  ])('makes none for $args', async ({ args, code, said }) => {
    const run = await cli.run(['key', 'create', '--name', 'CI', ...args])
    expect([run.code, run.out]).toEqual([code, ''])
    expect(run.err).toContain(said)
    expect((await must(cli, ['key', 'list'])).items).toEqual([])
  })

  test('needs a name', async () => {
    const run = await cli.run(['key', 'create'])
    expect([run.code, run.err]).toEqual([2, "error: required option '--name <name>' not specified\n"])
  })
})

describe('a key is found', () => {
  test.each([
    { name: 'its id', text: (id: string) => id },
    { name: 'what is shown of it', text: (_: string, prefix: string) => prefix },
    { name: 'the bare id', text: (id: string) => id.slice(4) },
    { name: 'a beginning of its id', text: (id: string) => id.slice(0, 12) },
    { name: 'a beginning of the bare id', text: (id: string) => id.slice(4, 12) },
    { name: 'a beginning of what is shown', text: (_: string, prefix: string) => prefix.slice(0, 17) },
  ])('by $name', async ({ text }) => {
    const { key } = await create()
    await create()
    expect(await must(cli, ['key', 'show', text(key.id, key.prefix)])).toEqual(key)
  })

  test.each([
    ...['k', 'key', 'key_'].map((text) => ({ text, head: 'key_' })),
    ...['mac_', 'mac_live', 'mac_live_'].map((text) => ({ text, head: 'mac_live_' })),
    ...['mac_t', 'mac_test_'].map((text) => ({ text, head: 'mac_test_' })),
  ])('not by $text, which is nothing of an id: exit 2', async ({ text, head }) => {
    const run = await cli.run(['key', 'show', text])
    const said = `error: "${text}" is too short: give at least one character after ${head}\n`
    expect([run.code, run.out, run.err]).toEqual([2, '', said])
  })

  test.each(['key_k', 'mac_live_k', 'zz', 'bk_9'])(
    'not by %s, which could be one, where there is none: exit 1',
    async (text) => {
      const run = await cli.run(['key', 'show', text])
      expect([run.code, run.err]).toEqual([1, `error: There is no key that begins with "${text}".\n`])
    },
  )

  test('by a beginning that two have: neither, exit 2, both named', async () => {
    // Of 63 keys two begin with the same of 62 characters.
    const ids = await cli.look(async ({ keys }) => {
      const made = await Promise.all(Array.from({ length: 63 }, () => keys.create({ name: 'CI' })))
      return made.map(({ key }) => key.id)
    })
    const starts = Map.groupBy(ids, (id) => id.slice(0, 5))
    const [start = '', both = []] = [...starts].find(([, of]) => of.length > 1) ?? []
    for (const text of [start, `mac_live_${start.slice(4)}`]) {
      const run = await cli.run(['key', 'revoke', text, '--yes'])
      expect([run.code, run.out]).toEqual([2, ''])
      for (const id of both) expect(run.err).toContain(`  ${id}  active  CI`)
    }
    expect((await must(cli, ['key', 'list', '--status', 'revoked'])).items).toEqual([])
    const other = await cli.run(['key', 'show', `mac_test_${start.slice(4)}`])
    expect(other.code).toBe(1)
  })

  test.each(['key_zzzzzzzzzzzzzzzz', 'nothing', '', '%', '_'])('%p names none: exit 1', async (text) => {
    await create()
    const run = await cli.run(['key', 'show', text])
    expect([run.code, run.out]).toEqual([1, ''])
    expect(run.err).toContain('There is no key')
  })

  test('but never by the whole key, which others could see; it is not repeated', async () => {
    const { key, rawKey } = await create()
    const run = await cli.run(['key', 'revoke', rawKey, '--yes'])
    expect([run.code, run.err]).toEqual([2, expect.stringContaining(key.id)])
    expect(run.err).not.toContain(rawKey.slice(-49))
    expect((await stored(key.id)).status).toBe('active')
  })
})

describe('key', () => {
  test('revoke ends it for good, with its reason', async () => {
    const { key, rawKey } = await create()
    const run = await cli.run(['key', 'revoke', key.id, '--reason', 'Leaked', '--yes'])
    expect([run.code, run.out]).toEqual([0, `${key.id} is revoked.\n`])
    expect(await stored(key.id)).toMatchObject({ status: 'revoked', revokedReason: 'Leaked' })
    const verdict = await verify(rawKey)
    expect([verdict.code, verdict.json.code]).toEqual([1, 'api_key_revoked'])
    expect(await audited(cli)).toEqual(['cli key.created', 'cli key.revoked'])
  })

  test('update changes what is given, and takes away', async () => {
    const { key } = await create('--rate-limit', '10/1m', '--expires', '90d', '--description', 'x', '--ip', '10.0.0.1')
    const change = [
      '--name',
      'New',
      '--permission',
      'machine_auth.keys.view',
      '--no-rate-limit',
      '--no-expires',
      '--no-ip',
    ]
    const updated = await must(cli, ['key', 'update', key.id, ...change])
    expect(updated).toEqual({
      ...key,
      name: 'New',
      permissions: ['machine_auth.keys.view'],
      rateLimit: null,
      expiresAt: null,
      ipAllowlist: [],
    })
    expect(await stored(key.id)).toEqual(updated)
    const bare = await must(cli, ['key', 'update', key.id, '--no-permission', '--no-description', '--credits', '3'])
    expect(bare).toMatchObject({ name: 'New', permissions: [], description: null, credits: { remaining: 3 } })
    expect(await must(cli, ['key', 'update', key.id, '--no-credits'])).toMatchObject({ credits: null })
  })

  test('disable and enable', async () => {
    const { key, rawKey } = await create()
    expect((await cli.run(['key', 'disable', key.id, '--yes'])).code).toBe(0)
    expect((await verify(rawKey)).json.code).toBe('api_key_disabled')
    expect(await must(cli, ['key', 'enable', key.id])).toMatchObject({ status: 'active' })
    expect((await verify(rawKey)).json.code).toBe('valid')
    await must(cli, ['key', 'revoke', key.id, '--yes'])
    expect((await cli.run(['key', 'enable', key.id])).code).toBe(1)
  })

  test('rotate makes a new one; the old one works until the grace period ends', async () => {
    const { key, rawKey } = await create('--permission', 'machine_auth.keys.view')
    const rotated = await must(cli, ['key', 'rotate', key.id, '--grace', '1h', '--yes'])
    expect(rotated.key).toMatchObject({ rotatedFrom: key.id, permissions: key.permissions, name: 'CI' })
    cli.time.now += 3_599_000
    expect((await verify(rawKey)).json.valid).toBeTrue()
    cli.time.now += 1001
    expect((await verify(rawKey)).json.valid).toBeFalse()
    expect((await verify(rotated.rawKey)).json.valid).toBeTrue()
  })

  test('lockdown counts first, then revokes', async () => {
    await must(cli, ['org', 'create', 'Acme'])
    const { key: inside } = await create('--organization', 'Acme')
    const { key: outside } = await create()
    const args = ['key', 'lockdown', '--organization', 'Acme', '--reason', 'Leak']
    expect(await must(cli, [...args, '--dry-run'])).toEqual({ count: 1, dryRun: true })
    expect((await cli.run([...args, '--dry-run'])).out.trim()).toBe('1 key would be revoked.')
    expect((await stored(inside.id)).status).toBe('active')
    expect(await must(cli, [...args, '--yes'])).toEqual({ count: 1, dryRun: false })
    expect((await cli.run([...args, '--yes'])).out.trim()).toBe('0 keys are revoked.')
    expect([(await stored(inside.id)).status, (await stored(outside.id)).status]).toEqual(['revoked', 'active'])
    expect((await cli.run(['key', 'lockdown', '--yes'])).code).toBe(1)
    expect((await stored(outside.id)).status).toBe('active')
  })

  test('verify says why not, and exits by it', async () => {
    const { rawKey } = await create('--permission', 'machine_auth.keys.view', '--environment', 'test')
    const asked = [
      { args: [], code: 'valid', exit: 0 },
      { args: ['--permission', 'machine_auth.keys.view'], code: 'valid', exit: 0 },
      { args: ['--permission', 'machine_auth.keys.create'], code: 'permission_required', exit: 1 },
      { args: ['--environment', 'live'], code: 'environment_mismatch', exit: 1 },
    ]
    for (const { args, code, exit } of asked) {
      const run = await verify(rawKey, ...args)
      expect([run.json.code, run.code]).toEqual([code, exit])
    }
    const byVariable = await cli.run(['key', 'verify'], { env: { MACHINE_AUTH_KEY: rawKey } })
    expect([byVariable.code, byVariable.out]).toEqual([0, expect.stringMatching(/^valid +true\ncode +valid\n/)])
    const byPrompt = await cli.run(['key', 'verify'], { isTTY: true, stdin: `${rawKey}\n` })
    expect([byPrompt.code, byPrompt.terminal]).toEqual([0, ['<hide>', 'Key: ', '<show>', '\n']])
    for (const run of [byVariable, byPrompt]) expect(run.out + run.err).not.toContain(rawKey)
    expect((await cli.run(['key', 'verify'])).code).toBe(2)
  })

  test('list says when keys were last used, and sorts by it', async () => {
    await create('--name', 'never used')
    const { rawKey } = await create('--name', 'used')
    await create('--name', 'never used either')
    await verify(rawKey)
    const { out } = await cli.run(['key', 'list'])
    expect(out).toMatch(/^ID +NAME +STATUS +ENV +PERMISSIONS +EXPIRES +LAST USED\n/)
    expect(out).toMatch(/ used +active .* - +2030-01-01\n/)
    const { items } = await must(cli, ['key', 'list', '--sort', 'lastUsedAt', '--limit', '1'])
    expect(items).toMatchObject([{ name: 'used', lastUsedAt: expect.any(String) }])
  })

  test('list filters, sorts and pages', async () => {
    for (const name of ['c', 'a', 'b']) await must(cli, ['key', 'create', '--name', name])
    await must(cli, ['key', 'create', '--name', '100%', '--environment', 'test'])
    const names = async (...args: readonly string[]) =>
      (await must(cli, ['key', 'list', ...args])).items.map(({ name }: { name: string }) => name)
    expect(await names('--sort', 'name', '--order', 'asc', '--environment', 'live')).toEqual(['a', 'b', 'c'])
    expect(await names('--query', '0%')).toEqual(['100%'])
    expect(await names('--query', '_')).toEqual([])
    expect(await names('--status', 'revoked')).toEqual([])
    expect(await names('--limit', '3')).toHaveLength(3)
    expect((await cli.run(['key', 'list', '--limit', '101'])).err).toContain(
      '--limit must be a whole number from 1 to 100',
    )
  })
})

describe('key import', () => {
  const TEXT = 'legacy_0123456789abcdef0123456789abcdef'
  const HASH = new Bun.CryptoHasher('sha256').update(TEXT).digest('hex')
  const IMPORT = ['key', 'import', '--name', 'Old', '--hash-kind', 'sha256', '--prefix', 'legacy_01']

  beforeEach(() =>
    writeFileSync(
      join(cli.path, 'machine-auth.config.ts'),
      `import { sha256 } from '${join(import.meta.dir, '../../src/index.ts')}'
export default { apiKeys: { importKinds: [sha256()] } }
`,
    ),
  )

  test('takes over a key by its hash, which is shown nowhere', async () => {
    const run = await cli.run([...IMPORT, '--permission', 'machine_auth.keys.view', '--hash-stdin'], {
      stdin: `${HASH}\n`,
    })
    expect([run.code, run.err, run.out.includes(HASH)]).toEqual([0, '', false])
    const verdict = await verify(TEXT)
    expect(verdict.json).toMatchObject({ valid: true, key: { name: 'Old', prefix: 'legacy_01' } })
    const again = await cli.run(IMPORT, { env: { MACHINE_AUTH_HASH: HASH } })
    expect([again.code, again.err.includes(HASH)]).toEqual([1, false])
    expect((await must(cli, ['key', 'list'])).items).toHaveLength(1)
  })

  test.each([
    { args: [...IMPORT], input: {}, code: 2, said: 'Hash missing' },
    { args: [...IMPORT, '--hash', HASH], input: {}, code: 2, said: '--hash is not an option' },
    {
      args: [...IMPORT, '--hash-stdin'],
      input: { stdin: 'nonsense' },
      code: 1,
      said: 'the hash must be a hash of the kind',
    },
  ])('takes nothing for $said', async ({ args, input, code, said }) => {
    const run = await cli.run(args, input)
    expect([run.code, run.out]).toEqual([code, ''])
    expect(run.err).toContain(said)
    expect((await must(cli, ['key', 'list'])).items).toEqual([])
  })
})
