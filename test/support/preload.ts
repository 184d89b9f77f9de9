/** Runs before the tests: what a process that starts thousands of apps, one after the other, must not pile up. */
import './credentials/watch.ts'
import { afterAll, afterEach } from 'bun:test'
import { watchConsole } from './credentials/console.ts'
import { watchDatabases } from './credentials/databases.ts'
import { watchMetrics } from './credentials/metrics.ts'
import { lookedThrough, requireNoLeaks } from './credentials/report.ts'
import { removeDirectories } from './directories.ts'

// Elysia keeps each app that ever listened until the process exits, by a listener that would stop its server.
afterEach(() => void process.removeAllListeners('beforeExit'))

// Elysia asks for a collection whenever an app listens: the garbage of all tests is looked through for each.
const collect = Bun.gc
Bun.gc = (force) => (force === true ? collect(true) : 0)

watchDatabases()
watchConsole()
watchMetrics()
afterAll(() => {
  removeDirectories()
  if (process.env.SHOW_SEARCH !== undefined) console.log(lookedThrough())
  requireNoLeaks()
})
