/**
 * One server of the comparison of databases and counts: `bun bench/cluster/server.ts SETTING`, a setting as JSON. Prints
 * its port and the headers to send, as JSON.
 */
import { Elysia } from 'elysia'
import { createMachineAuth, type MachineAuthOptions, machineAuth } from '../../src/index.ts'
import type { Announcement } from '../server.ts'

export interface Setting {
  readonly database: string
  readonly redis?: string
  readonly isShared?: boolean
  /** Keys that are used in turn. Default 1. */
  readonly keys?: number
  readonly usage?: boolean
  /** Units of each key in a minute. */
  readonly limit?: number | false
  /** A key that is there already, in place of new ones. */
  readonly rawKey?: string
}

export const SECRET = 'a-secret-of-the-bench-0123456789-abcdefghij'
export const MASTER_KEY = 'a-master-key-of-the-bench-0123456789-abcdef'
/** Never reached: what is measured is a count, not a refusal. */
export const NEVER = 100_000_000

function optionsOf({ database, redis, isShared = true, usage = false, limit = NEVER }: Setting): MachineAuthOptions {
  return {
    database,
    ...(redis === undefined ? {} : { redis }),
    cluster: { limits: isShared ? 'shared' : 'local' },
    secret: SECRET,
    masterKey: MASTER_KEY,
    docs: false,
    abuse: false,
    metrics: false,
    usage: usage ? {} : false,
    rateLimit: { headers: 'x' },
    apiKeys: { defaultRateLimit: limit === false ? false : { limit, window: '1m' } },
  }
}

if (import.meta.main) {
  const setting = JSON.parse(process.argv[2] ?? '{}') as Setting
  const core = createMachineAuth(optionsOf(setting), { warn: () => undefined })
  await core.ready
  const texts = setting.rawKey === undefined ? [] : [setting.rawKey]
  while (texts.length < (setting.keys ?? 1)) texts.push((await core.keys.create({ name: 'bench' })).rawKey)
  const { server } = new Elysia()
    .use(machineAuth(core))
    .get('/', ({ apiKey }) => apiKey.name, { apiKey: true })
    .listen({ port: 0, hostname: '127.0.0.1', reusePort: false })
  const announcement: Announcement = {
    port: server?.port ?? 0,
    headers: { 'x-api-key': texts[0] ?? '' },
    ...(texts.length > 1 && { inTurn: { name: 'x-api-key', values: texts } }),
  }
  console.log(JSON.stringify(announcement))
}
