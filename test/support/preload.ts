/** Runs before the tests: what a process that starts thousands of apps, one after the other, must not pile up. */
import { afterEach } from 'bun:test'

// Elysia keeps each app that ever listened until the process exits, by a listener that would stop its server.
afterEach(() => void process.removeAllListeners('beforeExit'))

// Elysia asks for a collection whenever an app listens: the garbage of all tests is looked through for each.
const collect = Bun.gc
Bun.gc = (force) => (force === true ? collect(true) : 0)
