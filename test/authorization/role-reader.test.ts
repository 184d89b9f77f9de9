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

test('however often a change is told, one reading is under way, and one comes after it', async () => {
  const memory = createMemoryStorage()
  const { storage, outage } = withOutages(memory)
  let read = 0
  const reader = new RoleReader(storage.roles, new RoleRegistry({}), () => {
    read += 1
  })
  const readings = () => memory.calls.filter((verb) => verb === 'roles.list').length
  const held = outage.hold('roles.list')
  reader.readSoon()
  await held.reached
  for (let count = 0; count < 100; count += 1) reader.readSoon()
  expect([readings(), read]).toEqual([1, 0])
  held.release()
  await until(() => read === 2)
  await Bun.sleep(0)
  expect([readings(), read]).toEqual([2, 2])
})
