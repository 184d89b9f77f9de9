/** The log of changes is pruned also where one process alone writes, whose own writes SQLite does not report to it. */
import { expect, test } from 'bun:test'
import { ChangeWatcher } from '../../src/cluster/change-watcher.ts'
import { openStorage } from '../../src/storage/open.ts'

const HOUR = 3_600_000

test('rows older than an hour go', async () => {
  const time = { now: Date.UTC(2030, 0, 1) }
  const clock = () => time.now
  const { storage, ready } = openStorage('sqlite::memory:', { migrate: 'auto', clock })
  await ready
  const watcher = new ChangeWatcher(storage.changes, clock, { onChange: () => undefined, onGap: () => undefined })
  await watcher.start()
  for (let hour = 0; hour < 5; hour += 1) {
    for (let count = 0; count < 10; count += 1) {
      await storage.roles.put({ name: `role-${hour}-${count}`, permissions: [], inherits: [] }, time.now)
    }
    await watcher.look()
    time.now += HOUR
  }
  await watcher.look()
  await watcher.stop()
  const { changes } = await storage.changes.since(0)
  expect(changes.length).toBeLessThan(50)
  await storage.close()
})
