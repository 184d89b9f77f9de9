/** A Redis to count in, each test with names of its own. */
import { RedisClient } from 'bun'
import type { Link } from '../../../src/limits/redis/link.ts'
import { lookThroughText } from '../../support/credentials/report.ts'

const SHARED = 'redis://127.0.0.1:6379'

async function isServerUp(): Promise<boolean> {
  const client = new RedisClient(SHARED, { autoReconnect: false, enableOfflineQueue: false, connectionTimeout: 2000 })
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    client.close()
  }
}

/** Whether tests that need a server run: they must where services are required. */
export const runsOnRedis = process.env.REQUIRE_SERVICES === '1' || (await isServerUp())

export interface TestRedis {
  readonly link: Link
  /** Of this test alone. */
  readonly name: string
  keys(): Promise<string[]>
  /** Removes all that it wrote, once it is looked through for credentials. */
  close(): Promise<void>
}

export async function connectRedis(url = SHARED): Promise<TestRedis> {
  const client = new RedisClient(url, { autoReconnect: false, enableOfflineQueue: false })
  await client.connect()
  const name = `test-${crypto.randomUUID()}`
  const keys = async () => {
    const found: string[] = []
    let cursor = '0'
    do {
      const [next, some] = (await client.send('SCAN', [cursor, 'MATCH', `${name}:*`, 'COUNT', '1000'])) as [
        string,
        string[],
      ]
      found.push(...some)
      cursor = next
    } while (cursor !== '0')
    return found
  }
  return {
    link: { send: (command, args) => client.send(command, [...args]) },
    name,
    keys,
    async close() {
      const left = await keys()
      lookThroughText('Redis', left.join('\n'))
      for (let at = 0; at < left.length; at += 1000) await client.send('DEL', left.slice(at, at + 1000))
      client.close()
    },
  }
}

/** Counts the commands that go over a link. */
export function counted(link: Link): Link & { readonly commands: string[] } {
  const commands: string[] = []
  return {
    commands,
    send(command, args) {
      commands.push(command)
      return link.send(command, args)
    },
  }
}
