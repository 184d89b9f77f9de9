/** What Prometheus itself says of the metrics, and of the alert rules on them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeMetrics, textOfAll } from '../../support/metrics.ts'
import { addKey, asMaster, createTestApp, type TestApp } from '../../support/test-app.ts'

const PROMTOOL = Bun.which('promtool')
const required = process.env.REQUIRE_SERVICES === '1'
const RULES = join(import.meta.dir, '../../../docs/alerts.rules.yml')

let app: TestApp
let text = ''

beforeAll(async () => {
  app = await createTestApp({ logging: { mode: 'metadata_only' } })
  const { headers } = await addKey(app, { rateLimit: { limit: 1, window: '1m' } })
  for (const each of [headers, headers, {}]) await app.ask('/key', { headers: each })
  text = (await app.ask('/auth/metrics', { headers: asMaster })).text
})
afterAll(() => app.close())

async function run(args: readonly string[], input: string) {
  const child = Bun.spawn([PROMTOOL ?? 'promtool', ...args], {
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exitCode: await child.exited, said: said.join('') }
}

if (PROMTOOL === null && !required) {
  describe('promtool', () => {
    test.skip('is not installed (REQUIRE_SERVICES=1 makes this a failure)', () => undefined)
  })
} else {
  describe('promtool', () => {
    test('check metrics has nothing to say of a scrape', async () => {
      expect(await run(['check', 'metrics'], text)).toEqual({ exitCode: 0, said: '' })
    })

    test('check metrics has nothing to say of all that may be measured', async () => {
      expect(await run(['check', 'metrics'], await textOfAll())).toEqual({ exitCode: 0, said: '' })
    })

    test('check metrics objects to what is against the rules, so that its silence means something', async () => {
      const counter = '# HELP requests Requests.\n# TYPE requests counter\nrequests 1\n'
      expect((await run(['check', 'metrics'], counter)).said).toContain('_total')
    })

    test('check rules accepts the alert rules', async () => {
      const { exitCode, said } = await run(['check', 'rules', '--lint-fatal', RULES], '')
      expect(said).toContain('SUCCESS')
      expect(exitCode).toBe(0)
    })
  })
}

describe('the alert rules', () => {
  const rules = readFileSync(RULES, 'utf8')

  test('ask for metrics that there are, by labels that they have', async () => {
    const text = await textOfAll()
    const all = describeMetrics(text)
    const asked = [...rules.matchAll(/\b(machine_auth_\w+)(?:\{([^}]*)\})?/g)]
    expect(asked.length).toBeGreaterThan(10)
    for (const [, name = '', matcher = ''] of asked) {
      const known = all.some(
        (each) => name === each.name || (name === `${each.name}_bucket` && each.type === 'histogram'),
      )
      const labels = matcher.split(',')
      const row = text
        .split('\n')
        .find((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
      expect([name, matcher, known, row !== undefined]).toEqual([name, matcher, true, true])
    }
  })

  test('say each what to do', () => {
    const count = (pattern: RegExp) => [...rules.matchAll(pattern)].length
    expect(count(/^ {10}description: \S/gm)).toBe(count(/- alert: /g))
    expect(count(/^ {10}summary: \S/gm)).toBe(count(/- alert: /g))
  })
})
