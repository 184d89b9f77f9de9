/** A key mints none that may do what it may not: a test key no live one. */
import { expect, test } from 'bun:test'
import { addKey, createTestApp } from '../support/test-app.ts'

test('a test key makes test keys', async () => {
  await using t = await createTestApp()
  const permissions = ['platform.admin', 'machine_auth.keys.create']
  const { headers } = await addKey(t, { environment: 'test', permissions })
  const make = (environment: 'live' | 'test') =>
    t.ask('/auth/keys', { headers, body: { name: 'x', environment, permissions: ['machine_auth.keys.create'] } })
  expect((await make('test')).status).toBe(201)
  expect((await make('live')).status).toBe(403)
  expect((await t.ask('/live', { headers })).said).toBe('403 environment_mismatch')
})
