/** `stats`: figures for people, and for programs what HTTP answers. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { ReportedUse } from '../../src/recording/usage/reported-use.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

const HOUR = 3_600_000

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

let made = 0
/** Reports a use for each age in ms, with its status. */
const report = (keyId: string, ...uses: readonly (readonly [age: number, status: number])[]) =>
  cli.look(({ usage }) =>
    usage.report(
      uses.map(([age, status]): ReportedUse => {
        made += 1
        const at = new Date(cli.time.now - age).toISOString()
        return { id: `use-${made}`, keyId, endpoint: '/a', method: 'GET', status, latencyMs: 1, at }
      }),
    ),
  )

describe('stats', () => {
  test('shows figures in columns, a bar for each hour, and the most used keys', async () => {
    await must(cli, ['org', 'create', 'Acme'])
    const { key: busy } = await must(cli, ['key', 'create', '--name', 'Nightly import', '--organization', 'Acme'])
    const { key: idle } = await must(cli, ['key', 'create', '--name', 'CI'])
    await must(cli, ['key', 'revoke', idle.id, '--yes'])
    const many = Array.from({ length: 999 }, () => [HOUR, 200] as const)
    await report(busy.id, ...many, [2 * HOUR, 500])
    await report(busy.id, [0, 200], [0, 403])
    await report(idle.id, [23 * HOUR - 1000, 401])
    const run = await cli.run(['stats'])
    expect([run.code, run.err]).toEqual([0, ''])
    expect(run.out.split('\n')).toEqual([
      'Organizations  1',
      'API keys       2, 1 active',
      'Requests       1,003 in all, 2 in the last hour',
      'Last 24 hours  1,003, 0.3 % errors',
      `               ▂${'▁'.repeat(20)}▂█▂  up to 999 an hour`,
      '',
      'Most used keys, today and yesterday:',
      'KEY                   NAME            REQUESTS   ERRORS  ORGANIZATION',
      `${busy.id}  Nightly import     1,002    0.2 %  Acme`,
      `${idle.id}  CI                     1  100.0 %  -`,
      '',
    ])
  })

  test('shows zeros and no table where nothing happened', async () => {
    const { out } = await cli.run(['stats'])
    expect(out).toContain(`Last 24 hours  0, 0 % errors\n               ${'▁'.repeat(24)}  up to 0 an hour\n`)
    expect(out).not.toContain('Most used')
  })

  test('keeps ids whole and leaves out organizations where the terminal is narrow', async () => {
    const { key } = await must(cli, ['key', 'create', '--name', 'A key of a rather long name'])
    await report(key.id, [0, 200])
    const { out } = await cli.run(['stats'], { columns: 50 })
    const line = out.split('\n').find((each) => each.startsWith(key.id)) ?? ''
    expect(line).toMatch(/^key_\w{16} {2}A key of … +1 +0 %$/)
    expect(line.length).toBeLessThanOrEqual(50)
    expect(out).not.toContain('ORGANIZATION')
  })

  test('answers programs as HTTP does', async () => {
    const { key } = await must(cli, ['key', 'create', '--name', 'CI'])
    await report(key.id, [0, 200], [0, 500])
    const stats = await must(cli, ['stats'])
    expect(stats).toEqual(JSON.parse(JSON.stringify(await cli.look(({ usage }) => usage.stats()))))
    expect(stats).toMatchObject({ keys: 1, requests: 2, errorRate: 0.5, topKeys: [{ id: key.id, errors: 1 }] })
  })
})
