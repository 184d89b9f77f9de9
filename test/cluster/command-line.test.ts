/** A command line that takes something away tells the processes of the app, and leaves promptly whatever Redis does. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { RedisClient } from 'bun'
import { type CliDirectory, createDirectory, must } from '../cli/support.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'
import { createGarbage, describeWithRedis } from './support.ts'

const dispose = createGarbage()
let redis: PrivateServer
let cli: CliDirectory
beforeEach(async () => {
  redis = dispose(await startRedis())
  cli = createDirectory({ MACHINE_AUTH_REDIS: redis.url })
})
afterEach(() => cli[Symbol.dispose]())

const makeKey = async (): Promise<string> => (await must(cli, ['key', 'create', '--name', 'k'])).key.id

describeWithRedis('a command line with Redis', () => {
  test('rings for what it revoked', async () => {
    const id = await makeKey()
    const heard: string[] = []
    const ears = new RedisClient(redis.url)
    dispose({ stop: async () => ears.close() })
    await ears.subscribe('machine-auth:changes', (message) => heard.push(message))
    await must(cli, ['key', 'revoke', id, '--yes'])
    await until(() => heard.length > 0)
    expect(heard).toEqual([`key ${id}`])
  }, 30_000)

  test.each(['frozen', 'gone'] as const)(
    'leaves promptly while Redis is %s, its work done',
    async (state) => {
      const id = await makeKey()
      if (state === 'frozen') redis.pause()
      else await redis.kill()
      const begun = performance.now()
      const run = await cli.run(['key', 'revoke', id, '--yes'])
      expect([run.code, performance.now() - begun < 6000]).toEqual([0, true])
      if (state === 'frozen') redis.resume()
      else await redis.start()
      expect((await must(cli, ['key', 'show', id])).status).toBe('revoked')
    },
    30_000,
  )
})
