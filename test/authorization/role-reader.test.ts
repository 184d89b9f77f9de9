import { expect, test } from 'bun:test'
import { RoleReader } from '../../src/authorization/role-reader.ts'
import { RoleRegistry } from '../../src/authorization/roles.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { withOutages } from '../support/outage.ts'
import { until } from '../support/until.ts'

test('what roles decided is forgotten once when they cannot be read, and again when they are', async () => {
  const { storage, outage } = withOutages(createMemoryStorage())
  let forgotten = 0
  const reader = new RoleReader(storage.roles, new RoleRegistry({}), () => {
    forgotten += 1
  })
  outage.isAway = true
  reader.readSoon()
  await until(() => outage.asked.length >= 3)
  expect(forgotten).toBe(1)
  outage.isAway = false
  await until(() => forgotten > 1)
  reader.stop()
  expect(forgotten).toBe(2)
})
