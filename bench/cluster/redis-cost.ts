/** What Redis does and keeps for limits. */
import { RedisLink } from '../../src/cluster/redis-link.ts'
import { Limiter } from '../../src/limits/limiter.ts'
import { createRate, type Strategy } from '../../src/limits/rate.ts'
import { RedisLimits } from '../../src/limits/redis/redis-limits.ts'
import type { SharedClaim } from '../../src/limits/shared-limits.ts'
import { askRedis } from '../../test/support/servers/redis-process.ts'
import type { Report } from '../report.ts'
import type { Place } from './place.ts'
import { NEVER, type Setting } from './server.ts'
import { withServers } from './servers.ts'

const STRATEGIES: readonly Strategy[] = ['sliding-window', 'sliding-window-counter', 'token-bucket']

interface CommandStat {
  readonly calls: number
  /** µs of Redis. */
  readonly usec: number
}

/** What Redis has done since `CONFIG RESETSTAT`, without what looks at it. */
async function commandsOf(url: string): Promise<ReadonlyMap<string, CommandStat>> {
  const text = String(await askRedis(url, 'INFO', ['commandstats']))
  const found = [...text.matchAll(/^cmdstat_([\w|]+):calls=(\d+),usec=(\d+)/gm)]
  const stats = found.map(([, name = '', calls, usec]) => [name, { calls: Number(calls), usec: Number(usec) }] as const)
  return new Map(stats.filter(([name]) => !/^(info|config|ping|hello|auth|client|pubsub)/.test(name)))
}

const reset = (url: string) => askRedis(url, 'CONFIG', ['RESETSTAT'])

async function usedMemory(url: string): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(String(await askRedis(url, 'INFO', ['memory'])))?.[1])
}

/**
 * Commands of requests that are counted, and of those beyond the limit: those of the clients of Redis, and with them
 * those that their script runs inside.
 */
export async function countCommands(place: Place, report: Report, requests: number): Promise<void> {
  const { url } = place.redis
  const limits = { 'within the limit': NEVER, 'beyond the limit': 1 }
  for (const [name, limit] of Object.entries(limits)) {
    const setting: Setting = { database: await place.createPostgres(), redis: url, limit }
    report.progress(`Redis commands ${name}`)
    await withServers([setting], async ([server]) => {
      if (server === undefined) return
      const ask = async () => void (await (await fetch(server.origin, { headers: server.headers })).arrayBuffer())
      for (let index = 0; index < 20; index += 1) await ask()
      await reset(url)
      for (let index = 0; index < requests; index += 1) await ask()
      const stats = [...(await commandsOf(url))]
      const sent = stats
        .filter(([each]) => /^(evalsha|eval|fcall)/.test(each))
        .reduce((sum, [, { calls }]) => sum + calls, 0)
      const inside = stats.map(([each, { calls }]) => `${each} ${(calls / requests).toFixed(2)}`).join(', ')
      report.add({
        group: 'cluster',
        name: `Redis commands of a request ${name}`,
        value: sent / requests,
        unit: 'count',
        ...(inside !== '' && { note: inside }),
      })
    })
  }
}

async function withLimits<T>(url: string, use: (limits: RedisLimits) => Promise<T>): Promise<T> {
  const link = new RedisLink({ url, timeout: 5000, warn: (message) => console.warn(message) })
  link.start()
  await link.attempted
  const limits = new RedisLimits({
    ...{
      link,
      name: 'bench',
      nameKey: new Uint8Array(32),
      maxSubjects: 100_000,
      withoutRedis: 'refuse',
      processes: () => 1,
    },
    ...{ clock: Date.now, warn: (message: string) => console.warn(message) },
  })
  try {
    return await use(limits)
  } finally {
    await limits.stop()
    await link.stop()
  }
}

function claimOf(limiter: Limiter, subject: number): SharedClaim {
  return { limiter, place: 'bench', subject: `subject ${subject}`, cost: 1 }
}

/** Runs so many calls, some of them at a time. */
async function inParallel(count: number, together: number, call: (index: number) => unknown): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: together }, work))
}

/** Bytes of a subject, its name and expiry included, with one unit and with sixty in its window. */
export async function weighSubjects(place: Place, report: Report, subjects: number): Promise<void> {
  const { url } = place.redis
  for (const strategy of STRATEGIES) {
    const limiter = new Limiter(createRate({ limit: 600, window: 3_600_000, strategy }), 1)
    for (const hits of [1, 60]) {
      const words = `${strategy}, ${hits} ${hits === 1 ? 'unit' : 'units'}`
      report.progress(`a subject of ${words}`)
      await askRedis(url, 'FLUSHALL')
      const before = await usedMemory(url)
      await withLimits(url, (limits) =>
        inParallel(subjects * hits, 200, (index) => limits.hitAll([claimOf(limiter, index % subjects)], Date.now())),
      )
      const value = ((await usedMemory(url)) - before) / subjects
      report.add({ group: 'cluster', name: `a subject in Redis of ${words}`, value, unit: 'bytes' })
    }
  }
  await askRedis(url, 'FLUSHALL')
}

/** How many decisions one process gets from one Redis, and what Redis itself takes for each. */
export async function countDecisions(place: Place, report: Report, decisions: number): Promise<void> {
  const { url } = place.redis
  for (const strategy of STRATEGIES) {
    const limiter = new Limiter(createRate({ limit: 600, window: 60_000, strategy }), 1)
    for (const together of [1, 100]) {
      const words = `${strategy}, ${together} at a time`
      report.progress(`decisions of ${words}`)
      await askRedis(url, 'FLUSHALL')
      await withLimits(url, async (limits) => {
        const decide = (index: number) => limits.hitAll([claimOf(limiter, index % 1000)], Date.now())
        await inParallel(1000, together, decide)
        await reset(url)
        const count = together === 1 ? Math.ceil(decisions / 10) : decisions
        const began = performance.now()
        await inParallel(count, together, decide)
        const took = performance.now() - began
        const stats = [...(await commandsOf(url))].filter(([name]) => /^(evalsha|eval|fcall)/.test(name))
        const usec = stats.reduce((sum, [, each]) => sum + each.usec, 0) / count
        const note = `of Redis; ${((count * 1000) / took).toFixed(0)} a second, asked by one process`
        report.add({ group: 'cluster', name: `a decision of ${words}`, value: usec, unit: 'µs', note })
      })
    }
  }
  await askRedis(url, 'FLUSHALL')
}
