/** What the command line takes away is refused by a server beside it, on the same SQLite file, within a second. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { inDirectory } from '../storage/support.ts'
import { createTestApp, SECRET, type TestApp } from '../support/test-app.ts'

/** ms; CONTRACT promises it. */
const PROMISED = 1000
const MAIN = join(import.meta.dir, '../../src/cli/main.ts')

/** Answers how long ago the command had its exit when the server was seen to know of it, ms. */
async function msUntil(app: TestApp, rawKey: string, expected: string): Promise<number> {
  const began = performance.now()
  let said = ''
  while (said !== expected && performance.now() - began < 3 * PROMISED) {
    said = (await app.ask('/key', { headers: { 'x-api-key': rawKey } })).said
  }
  expect(said).toBe(expected)
  return performance.now() - began
}

test('a key that is revoked, disabled, rotated away or locked down by a command', async () => {
  await inDirectory(async (directory) => {
    const database = `sqlite:${join(directory, 'shared.db')}`
    await using app = await createTestApp({ database })
    const { id: organizationId } = await app.core.organizations.create({ name: 'Acme' })
    const make = (more: object = {}) => app.core.keys.create({ name: 'k', ...more })
    const rows = [
      {
        made: await make(),
        command: (id: string) => ['key', 'revoke', id, '--reason', 'leaked', '--yes'],
        said: '401 api_key_revoked',
      },
      { made: await make(), command: (id: string) => ['key', 'disable', id, '--yes'], said: '401 api_key_disabled' },
      {
        made: await make(),
        command: (id: string) => ['key', 'rotate', id, '--grace', '0s', '--yes'],
        said: '401 api_key_revoked',
      },
      {
        made: await make({ organizationId }),
        command: () => ['key', 'lockdown', '--organization', 'Acme', '--yes'],
        said: '401 api_key_revoked',
      },
      {
        made: await make(),
        command: (id: string) => ['key', 'update', id, '--ip', '192.0.2.1'],
        said: '403 ip_not_allowed',
      },
    ]
    for (const { made } of rows) await msUntil(app, made.rawKey, '200')
    const env = { ...process.env, MACHINE_AUTH_DATABASE: database, MACHINE_AUTH_SECRET: SECRET }
    await Promise.all(
      rows.map(async ({ made, command, said }) => {
        const run = Bun.spawn([process.execPath, MAIN, ...command(made.key.id)], {
          cwd: directory,
          env,
          stderr: 'pipe',
        })
        const [code, errors] = await Promise.all([run.exited, new Response(run.stderr).text()])
        expect(code, errors).toBe(0)
        expect(await msUntil(app, made.rawKey, said)).toBeLessThan(PROMISED)
      }),
    )
  })
}, 30_000)
