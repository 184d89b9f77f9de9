/** Why a Redis does not answer an app, as `machine-auth doctor` tells it. */
import { expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { askRedis } from '../../src/cli/doctor/redis.ts'
import { startRedis } from '../support/servers/redis.ts'
import { askRedis as command } from '../support/servers/redis-process.ts'
import { createGarbage, describeWithRedis } from './support.ts'

const dispose = createGarbage()

/** A server of another kind. */
async function serve(answer: string | null) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => (answer === null ? socket.end() : socket.write(answer)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  dispose({ stop: async () => void server.close() })
  return address.port
}

describeWithRedis('why Redis does not answer', () => {
  test('by its password, its user and its databases', async () => {
    const redis = dispose(await startRedis())
    const at = (credentials: string, path = '') => `redis://${credentials}127.0.0.1:${redis.port}${path}`
    expect([await askRedis(at('')), await askRedis(at('', '/3'))]).toEqual(['up', 'up'])
    expect(await askRedis(at('', '/99'))).toBe('refusing')
    await command(redis.url, 'CONFIG', ['SET', 'requirepass', 'sesame'])
    const asked = [at(''), at(':wrong@'), at('nobody:sesame@'), at(':sesame@'), at('default:sesame@')]
    expect(await Promise.all(asked.map(askRedis))).toEqual([
      'password_missing',
      'password_wrong',
      'password_wrong',
      'up',
      'up',
    ])
    await command(at(':sesame@'), 'CONFIG', ['SET', 'requirepass', ''])
  }, 30_000)

  test('while it is frozen, and when it is gone', async () => {
    const redis = dispose(await startRedis())
    redis.pause()
    expect(await askRedis(redis.url)).toBe('silent')
    redis.resume()
    await redis.kill()
    expect(await askRedis(redis.url)).toBe('refused')
    await redis.start()
  }, 30_000)

  test.each(['HTTP/1.1 400 Bad Request\r\n\r\n', null])('another server that says %j is no Redis', async (answer) => {
    const port = await serve(answer)
    expect(await askRedis(`redis://127.0.0.1:${port}`)).toBe('no_redis')
    expect(await askRedis(`rediss://127.0.0.1:${port}`)).toBe('no_redis')
  })
})
