/** What the tests of links and bells need: real servers, and conditions that come true in time. */
import { afterEach, describe, test } from 'bun:test'
import { isRedisInstalled } from '../support/servers/redis.ts'

export const required = process.env.REQUIRE_SERVICES === '1'
export const SHARED_REDIS = 'redis://127.0.0.1:6379'

/** Tests that need `redis-server`: where it is not installed they are skipped for all to see, or fail when required. */
export function describeWithRedis(name: string, body: () => void): void {
  if (isRedisInstalled || required) describe(name, body)
  else
    describe(name, () =>
      test.skip('redis-server is not installed (REQUIRE_SERVICES=1 makes this a failure)', () => undefined),
    )
}

interface Stoppable {
  stop(): Promise<void>
}

/** Stops what a test made when it ends, newest first. */
export function createGarbage(): <T extends Stoppable>(made: T) => T {
  const all: Stoppable[] = []
  afterEach(async () => {
    while (all.length > 0) await all.pop()?.stop()
  })
  return (made) => {
    all.push(made)
    return made
  }
}

/** What became of a call, and how long it took (ms). */
export async function outcomeOf(called: Promise<unknown>): Promise<{ readonly said: unknown; readonly took: number }> {
  const start = performance.now()
  const said = await called.catch((error: unknown) => (error instanceof Error ? error.constructor.name : error))
  return { said, took: performance.now() - start }
}
