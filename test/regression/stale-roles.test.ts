/** What roles grant is what is stored: not what an overtaken or failed reading said. */
import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'
import { addSession, createTestCore, START } from '../support/test-app.ts'

type Interception = (rows: unknown[]) => unknown[] | Promise<unknown[]>

const READS_ROLES = /^select .*from "machine_auth_roles"/

/** An asynchronous database, as PostgreSQL's drivers are, whose readings of the roles can be held up. */
function openSlow(client: Database) {
  const held: Interception[] = []
  const outage = { isDown: false, failures: 0 }
  const db = drizzle(async (text, params, method) => {
    const statement = client.query(text)
    if (method === 'run' && !/returning/i.test(text)) {
      statement.run(...params)
      return { rows: [] }
    }
    const rows: unknown[] = statement.values(...params)
    const isReadingRoles = READS_ROLES.test(text)
    if (isReadingRoles && outage.isDown) {
      outage.failures += 1
      throw new Error('the connection was lost')
    }
    const intercept = isReadingRoles ? held.shift() : undefined
    const answered = intercept === undefined ? rows : await intercept(rows)
    return { rows: method === 'get' ? (answered[0] as unknown[]) : answered }
  })
  return { db, held, outage }
}

const asRead: Interception = (rows) => rows

async function createHelpers() {
  const client = new Database(':memory:')
  const { db, held, outage } = openSlow(client)
  const { core } = createTestCore({ database: { db } })
  await core.ready
  await core.roles.put('helper', { permissions: ['users.view'] })
  const user = await core.users.create({ email: 'h@example.com', roles: ['helper'] })
  const { headers } = await addSession({ core }, user.id)
  const app = new Elysia().use(machineAuth(core)).get('/users', () => 'users', { requirePermission: 'users.view' })
  const statusOf = async () => (await app.handle(new Request('http://localhost/users', { headers }))).status
  return { client, core, held, outage, statusOf }
}

test('a slow reading from before a change does not undo it', async () => {
  const { core, held, statusOf } = await createHelpers()
  expect(await statusOf()).toBe(200)
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  // The first reading checks what is inherited; the second is the registry's.
  held.push(asRead, async (rows) => {
    reached.resolve()
    await released.promise
    return rows
  })
  const slow = core.roles.put('noise', { permissions: [] })
  await reached.promise
  await core.roles.delete('helper')
  expect(await statusOf()).toBe(403)
  released.resolve()
  await slow
  expect(await statusOf()).toBe(403)
  await core.close()
})

test('a reading that failed is made up for, within a second', async () => {
  const { client, core, outage, statusOf } = await createHelpers()
  expect(await statusOf()).toBe(200)
  outage.isDown = true
  // As another process does it.
  client.run("delete from machine_auth_roles where name = 'helper'")
  client.run("insert into machine_auth_changes (at, kind, subject) values (?, 'role', 'helper')", [START])
  const deadline = Date.now() + 1000
  while (outage.failures === 0 && Date.now() < deadline) await Bun.sleep(10)
  expect(outage.failures).toBeGreaterThan(0)
  outage.isDown = false
  const end = Date.now() + 1500
  while ((await statusOf()) === 200 && Date.now() < end) await Bun.sleep(20)
  expect(await statusOf()).toBe(403)
  await core.close()
})
