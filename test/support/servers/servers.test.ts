import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { SQL } from 'bun'
import { isPgBouncerInstalled, startPgBouncer } from './pgbouncer.ts'
import { isPostgresInstalled, startPostgres } from './postgres.ts'
import { askPostgres, isAnswering } from './postgres-process.ts'
import type { PrivateServer } from './private-server.ts'
import { isRedisInstalled, startRedis } from './redis.ts'
import { askRedis } from './redis-process.ts'

const required = process.env.REQUIRE_SERVICES === '1'
const SKIPPED = 'is not installed (REQUIRE_SERVICES=1 makes this a failure)'

async function withServer(starting: Promise<PrivateServer>, use: (server: PrivateServer) => Promise<void>) {
  const server = await starting
  try {
    await use(server)
  } finally {
    await server.stop()
  }
}

/** Whether a promise is still open after 200 ms: long for what answers on loopback, and only ever taken for a hang. */
async function hangs(asked: Promise<unknown>): Promise<boolean> {
  const settled = asked.then(
    () => false,
    () => false,
  )
  return Promise.race([settled, Bun.sleep(200).then(() => true)])
}

describe('a private Redis', () => {
  if (!isRedisInstalled && !required) {
    test.skip(SKIPPED, () => undefined)
    return
  }

  test('hangs while it is paused, forgets when it is killed, and leaves nothing behind', async () => {
    let directory = ''
    await withServer(startRedis(), async (redis) => {
      directory = ((await askRedis(redis.url, 'CONFIG', ['GET', 'dir'])) as { dir: string }).dir
      expect(existsSync(directory)).toBeTrue()
      await askRedis(redis.url, 'SET', ['a', '1'])
      redis.pause()
      const asked = askRedis(redis.url, 'GET', ['a'])
      expect(await hangs(asked)).toBeTrue()
      redis.resume()
      expect(await asked).toBe('1')
      await redis.kill()
      expect(
        await askRedis(redis.url, 'GET', ['a']).then(
          () => true,
          () => false,
        ),
      ).toBeFalse()
      await redis.start()
      expect(await askRedis(redis.url, 'GET', ['a'])).toBeNull()
    })
    expect(existsSync(directory)).toBeFalse()
  }, 60_000)
})

describe('a private PostgreSQL', () => {
  if (!isPostgresInstalled && !required) {
    test.skip(SKIPPED, () => undefined)
    return
  }

  test('hangs for who is connected while it is paused, and keeps what was committed when it is killed', async () => {
    let directory = ''
    await withServer(startPostgres(), async (postgres) => {
      const [shown] = (await askPostgres(postgres.url, 'show data_directory')) as { data_directory: string }[]
      directory = shown?.data_directory ?? ''
      expect(existsSync(directory)).toBeTrue()
      await askPostgres(postgres.url, 'create table kept (n int)')
      const client = new SQL({ url: postgres.url, max: 1 })
      await client.unsafe('insert into kept values (1)')
      postgres.pause()
      const asked = client.unsafe('select n from kept').then((rows) => [...rows])
      expect(await hangs(asked)).toBeTrue()
      postgres.resume()
      expect(await asked).toEqual([{ n: 1 }])
      await postgres.kill()
      expect(await isAnswering(postgres.url)).toBeFalse()
      await postgres.start()
      expect([...(await askPostgres(postgres.url, 'select n from kept'))]).toEqual([{ n: 1 }])
      await client.close()
    })
    expect(existsSync(directory)).toBeFalse()
  }, 60_000)
})

describe('a private PgBouncer', () => {
  if (!(isPgBouncerInstalled && isPostgresInstalled) && !required) {
    test.skip(SKIPPED, () => undefined)
    return
  }

  test('gives transactions of one connection to three of the server, in any database', async () => {
    await withServer(startPostgres(), (postgres) =>
      withServer(startPgBouncer(postgres), async (bouncer) => {
        await askPostgres(postgres.url, 'create database other')
        const client = new SQL({ url: bouncer.url.replace(/postgres$/, 'other'), max: 20, prepare: false })
        const asked = Array.from({ length: 60 }, () =>
          client.unsafe('select current_database() as name, pg_backend_pid() as pid, pg_sleep(0.002)::text'),
        )
        const rows = (await Promise.all(asked)).flat() as { name: string; pid: number }[]
        expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(['other']))
        expect(new Set(rows.map(({ pid }) => pid)).size).toBeLessThanOrEqual(3)
        await client.close()
      }),
    )
  }, 60_000)
})
