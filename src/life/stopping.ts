/** Stops the apps of a core, and then the core: requests under way are answered first, what is new is not taken. */

import { within } from '../lib/within.ts'
import type { Life } from './life.ts'

/** What of a server is asked for while it stops. */
export interface StoppableServer {
  readonly pendingRequests: number
  readonly pendingWebSockets: number
  /**
   * Takes no new connections and closes idle ones at once; the others after their answer. Resolves when none is left,
   * WebSockets included. With `force` all are closed at once.
   */
  stop(force?: boolean): Promise<unknown>
}

/** An Elysia app, as far as it is stopped. */
export interface StoppableApp {
  readonly server: StoppableServer | null
  /** Also runs the app's own `onStop`. */
  stop(force?: boolean): Promise<unknown>
}

/** How long stopping may take, ms. */
export interface StopTiming {
  /** How long requests are still taken while readiness is refused. */
  readonly delay: number
  /** How long requests under way may take. */
  readonly timeout: number
}

/** A core, as far as it is stopped. */
export interface Stoppable {
  readonly life: Life
  /** @param patience ms */
  close(patience?: number): Promise<void>
  /** False where the app looks after signals itself. */
  readonly timing: StopTiming | false
}

/** What `timing` says of somebody who stops an app of his own in spite of `shutdown: false`. */
const USUAL: StopTiming = { delay: 0, timeout: 3000 }
/**
 * ms for which requests are taken in any case: what clients sent before they could know is still read, and those that
 * keep their connection learn by `Connection: close` that they must not use it again.
 */
const LINGER = 100
/** ms for closing the core, whatever the requests took. */
const CLOSING = 1000
/** ms between looks at whether WebSockets are all that is left: they would never end by themselves. */
const LOOK = 20

const stopped = new WeakMap<Stoppable, Promise<void>>()

/**
 * Refuses readiness, waits for the delay, takes no more connections, waits for the requests under way, and closes the
 * core. The first call counts; the others wait for the same. Takes at most `delay` and `timeout` and 1.4 s.
 *
 * @param apps that serve the core
 */
export function stopServing(core: Stoppable, apps: Iterable<StoppableApp>): Promise<void> {
  const known = stopped.get(core)
  if (known !== undefined) return known
  const stopping = stop(core, [...apps])
  stopped.set(core, stopping)
  return stopping
}

async function stop(core: Stoppable, apps: readonly StoppableApp[]): Promise<void> {
  const { delay, timeout } = core.timing === false ? USUAL : core.timing
  core.life.become('draining')
  await Bun.sleep(Math.max(delay, LINGER))
  const deadline = performance.now() + timeout
  await Promise.all(apps.map((app) => stopApp(app, timeout)))
  await core.close(Math.max(0, deadline - performance.now()) + CLOSING)
}

/** @param timeout ms that its requests have */
async function stopApp(app: StoppableApp, timeout: number): Promise<void> {
  const { server } = app
  if (server === null) return
  await within(timeout, Promise.race([server.stop(), untilOnlySocketsAreLeft(server, timeout)]))
  // Says goodbye to WebSockets (1001), and cuts what took too long.
  await server.stop(true)
  // Only now, since it runs the app's own `onStop` once for every call.
  if (app.server !== null) await app.stop(true)
}

async function untilOnlySocketsAreLeft(server: StoppableServer, timeout: number): Promise<void> {
  const deadline = performance.now() + timeout
  do await Bun.sleep(LOOK)
  while (performance.now() < deadline && (server.pendingRequests > 0 || server.pendingWebSockets === 0))
}
