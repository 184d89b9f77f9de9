import { expect, spyOn, test } from 'bun:test'
import { createApp as createJwt } from '../../examples/jwt.ts'
import { createApp as createOwnership } from '../../examples/ownership.ts'
import { createApp as createSessions } from '../../examples/sessions.ts'
import { createApp as createWebSocket } from '../../examples/websocket.ts'
import { formatRoutes, listRoutes, requireGuardedRoutes } from '../../src/guards/listing.ts'
import { ROOT, START_TIMEOUT } from './support.ts'

test.each([
  ['jwt', createJwt],
  ['ownership', createOwnership],
  ['sessions', createSessions],
  ['websocket', createWebSocket],
])('no route of %s is open by mistake, those of the package included', async (_, createApp) => {
  using _log = spyOn(console, 'log').mockImplementation(() => undefined)
  using _warn = spyOn(console, 'warn').mockImplementation(() => undefined)
  const app = await createApp()
  expect(formatRoutes(listRoutes(app))).not.toContain('UNGUARDED')
  expect(() => requireGuardedRoutes(app)).not.toThrow()
})

/** Runs a program as a file of the project would, with its database in memory. */
async function run(program: string) {
  const child = Bun.spawn([process.execPath, '-e', program], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', MACHINE_AUTH_DATABASE: 'sqlite::memory:' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  return { complaint: await new Response(child.stderr).text(), code: await child.exited }
}

test.each([
  ["requireRole: 'nobody'", "GET /x: role 'nobody' is not declared"],
  ["requirePermission: 'no.such'", "GET /x: permission 'no.such' is not declared"],
  ["requireModule: 'none'", "GET /x: module 'none' is not declared"],
  ['authorizedThing: true', "GET /x: 'authorizedThing' is not applied"],
])(
  'a server with %s on a route stops and says where',
  async (guard, complaint) => {
    const result = await run(`
    import { Elysia } from 'elysia'
    import { machineAuth } from 'elysia-machine-auth'
    new Elysia().use(machineAuth()).get('/x', () => 'open', { ${guard} }).listen(0)`)
    expect(result).toEqual({ complaint: expect.stringContaining(complaint), code: 1 })
  },
  START_TIMEOUT,
)
