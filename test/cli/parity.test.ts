/** Whatever one can do to stored things by code, one can do over HTTP and by command, by names that follow a rule. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createProgram } from '../../src/cli/program.ts'
import { createProcessIo } from '../../src/cli/terminal/io.ts'
import { listRoutes } from '../../src/guards/listing.ts'
import { machineAuth } from '../../src/plugin.ts'
import { createTestCore } from '../support/test-app.ts'
import { commandsOf } from './commands.ts'

/** One row for each operation: a method of a service, an endpoint below the prefix, a command. */
const OPERATIONS: readonly (readonly [code: string, http: string, command: string])[] = [
  ['organizations.create', 'POST /organizations', 'org create'],
  ['organizations.list', 'GET /organizations', 'org list'],
  ['organizations.find', 'GET /organizations/:id', 'org show'],
  ['organizations.update', 'PATCH /organizations/:id', 'org update'],
  ['organizations.setLimits', 'PATCH /organizations/:id', 'org update'],
  ['organizations.suspend', 'PATCH /organizations/:id', 'org suspend'],
  ['organizations.activate', 'PATCH /organizations/:id', 'org activate'],
  ['users.create', 'POST /users', 'user create'],
  ['users.list', 'GET /users', 'user list'],
  ['users.find', 'GET /users/:id', 'user show'],
  ['users.update', 'PATCH /users/:id', 'user update'],
  ['users.setRoles', 'PATCH /users/:id', 'user set-roles'],
  ['users.setPassword', 'PATCH /users/:id', 'user set-password'],
  ['users.disable', 'PATCH /users/:id', 'user disable'],
  ['users.enable', 'PATCH /users/:id', 'user enable'],
  ['keys.create', 'POST /keys', 'key create'],
  ['keys.import', 'POST /keys/import', 'key import'],
  ['keys.list', 'GET /keys', 'key list'],
  ['keys.find', 'GET /keys/:id', 'key show'],
  ['keys.update', 'PATCH /keys/:id', 'key update'],
  ['keys.disable', 'PATCH /keys/:id', 'key disable'],
  ['keys.enable', 'PATCH /keys/:id', 'key enable'],
  ['keys.rotate', 'POST /keys/:id/rotate', 'key rotate'],
  ['keys.revoke', 'POST /keys/:id/revoke', 'key revoke'],
  ['keys.revoke', 'DELETE /keys/:id', 'key revoke'],
  ['keys.lockdown', 'POST /keys/lockdown', 'key lockdown'],
  ['keys.verify', 'POST /keys/verify', 'key verify'],
  ['usage.ofKey', 'GET /keys/:id/usage', 'key usage'],
  ['usage.stats', 'GET /stats', 'stats'],
  ['roles.list', 'GET /roles', 'role list'],
  ['roles.find', 'GET /roles/:name', 'role show'],
  ['roles.put', 'PUT /roles/:name', 'role set'],
  ['roles.delete', 'DELETE /roles/:name', 'role delete'],
  ['permissions.list', 'GET /permissions', 'permissions list'],
  ['permissions.list', 'GET /permissions', 'permissions docs'],
  ['permissions.sync', 'POST /permissions/sync', 'permissions sync'],
  ['blocks.add', 'POST /blocks', 'block add'],
  ['blocks.list', 'GET /blocks', 'block list'],
  ['blocks.find', 'GET /blocks/:id', 'block show'],
  ['blocks.remove', 'DELETE /blocks/:id', 'block remove'],
  ['sessions.listFor', 'GET /users/:id/sessions', 'session list'],
  ['sessions.list', 'GET /sessions', 'session list'],
  ['sessions.end', 'DELETE /sessions/:id', 'session end'],
  ['sessions.end', 'DELETE /sessions/current', 'session end'],
  ['sessions.endAll', 'DELETE /users/:id/sessions', 'session end-all'],
  ['logs.list', 'GET /logs', 'logs tail'],
  ['audit.list', 'GET /audit', 'audit list'],
  ['audit.verify', 'GET /audit/verify', 'audit verify'],
]

/** What is no operation on stored things that a person or machine asks for, each with its reason. */
const ONLY_CODE: Readonly<Record<string, string>> = {
  'organizations.findByName': 'how a command finds the organization that a person names',
  'users.findByEmail': 'how a command finds the user that a person names',
  'keys.findByPrefix': 'how a command finds the key that a person names',
  'permissions.has': 'what list tells, for code that asks of one name',
  'sessions.create': 'logging in is for browsers: POST /sessions',
  'blocks.addChecked': 'what a handler of the app decides by auth.block()',
  'blocks.start': 'what limits decide',
  'blocks.load': 'the life of the process',
  'blocks.refresh': 'the life of the process',
  'blocks.sweep': 'the life of the process',
  'blocks.settle': 'the life of the process',
  'usage.report': 'what other services send: POST /keys/batch/usage',
  'logs.purge': 'as usage.purge',
  'usage.purge': 'forgetting at once is for who has the machine, by command: purge',
  'audit.record': 'what every operation does',
  'audit.adopt': 'vouching for the log is for who has the machine, by command: audit adopt',
  'audit.recordDenied': 'what every refusal does',
  'audit.recordGuess': 'what every refusal does',
  'audit.refuseOutOfReach': 'what every refusal does',
  'audit.noteOutOfReach': 'what every refusal does',
  'audit.seal': 'the life of the process',
  'audit.sweep': 'the life of the process',
  'audit.stop': 'the life of the process',
}

/** Not of stored things: of whoever asks, or of the process that answers. */
const ONLY_HTTP = new Set([
  // What services send, not people.
  'POST /keys/batch/usage',
  ...['GET /metrics', 'GET /health/live', 'GET /health/ready'],
  ...['GET /me', 'POST /sessions', 'POST /login', 'POST /refresh', 'POST /logout'],
  ...['POST /token/new', 'POST /token/refresh', 'GET /.well-known/jwks.json'],
])

/** Of a machine and its files, and what only who has these decides. */
const ONLY_COMMAND = new Set([
  'init',
  'serve',
  'migrate',
  'doctor',
  'routes',
  'secret generate',
  'audit adopt',
  'purge',
])

const SERVICES = [
  'organizations',
  'users',
  'keys',
  'roles',
  'permissions',
  'blocks',
  'sessions',
  'usage',
  'logs',
  'audit',
] as const

const { core } = createTestCore()
await core.ready
const app = new Elysia().use(machineAuth(core))
const methods = SERVICES.flatMap((service) =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(core[service]))
    .filter((name) => name !== 'constructor')
    .map((name) => `${service}.${name}`),
)
const endpoints = listRoutes(app)
  .map(({ method, path }) => `${method} ${path.replace(/^\/auth/, '')}`)
  .filter((route) => !/^(?:GET|HEAD) \/swagger/.test(route))
const commands = commandsOf(createProgram({ io: createProcessIo(), exitCode: 0 }))
  .filter(({ isGroup }) => !isGroup)
  .map(({ name }) => name)
await core.close()

describe('every operation is there', () => {
  test.each(OPERATIONS.map((row) => [...row]))('%s, %s, %s', (code, http, command) => {
    expect(methods).toContain(code)
    expect(endpoints).toContain(http)
    expect(commands).toContain(command)
  })
})

describe('there is nothing else', () => {
  const named = (column: 0 | 1 | 2) => new Set(OPERATIONS.map((row) => row[column]))

  test('by code', () => {
    expect(methods.filter((name) => !named(0).has(name)).toSorted()).toEqual(Object.keys(ONLY_CODE).toSorted())
  })

  test('over HTTP', () => {
    expect(new Set(endpoints.filter((route) => !named(1).has(route)))).toEqual(ONLY_HTTP)
  })

  test('by command', () => {
    expect(new Set(commands.filter((name) => !named(2).has(name)))).toEqual(ONLY_COMMAND)
  })
})
