/** Several servers of one app, and clients that remember what they were answered. */
import { afterAll, beforeAll, expect } from 'bun:test'
import { createServerDatabase } from '../contract/adapters.ts'
import { issued } from '../support/credentials/watch.ts'
import { inTemporaryFolder, manage, type RunningServer, startServer } from './fixtures.ts'

export interface ClusterSetting {
  /** A private server's; default: a new database of the shared one. */
  readonly database?: string
  readonly redis?: string
  readonly options?: object
  readonly keyOptions?: object
  readonly processes?: number
}

export interface Cluster {
  readonly servers: readonly RunningServer[]
  readonly origins: readonly string[]
  /** The origin of the process of that number, counted round. */
  at(index: number): string
}

async function withDatabase<T>(given: string | undefined, use: (url: string) => Promise<T>): Promise<T> {
  if (given !== undefined) return use(given)
  const { url, drop } = await createServerDatabase()
  try {
    return await use(url)
  } finally {
    await drop()
  }
}

/** Runs three processes, or as many as said, on one database. */
export function withCluster(setting: ClusterSetting, use: (cluster: Cluster) => Promise<void>): Promise<void> {
  const { database, redis, options = {}, keyOptions = {}, processes = 3 } = setting
  return inTemporaryFolder((folder) =>
    withDatabase(database, async (url) => {
      const env = {
        MACHINE_AUTH_DATABASE: url,
        ...(redis === undefined ? {} : { MACHINE_AUTH_REDIS: redis }),
        OPTIONS: JSON.stringify(options),
        KEY_OPTIONS: JSON.stringify(keyOptions),
      }
      const start = () => startServer(folder, env, 'cluster-server.ts')
      const starting = await Promise.allSettled(Array.from({ length: processes }, start))
      const servers = starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      try {
        for (const each of starting) if (each.status === 'rejected') throw each.reason
        const origins = servers.map(({ origin }) => origin)
        await use({ servers, origins, at: (index) => origins[index % origins.length] ?? '' })
      } finally {
        await Promise.all(servers.map((server) => server.kill()))
      }
    }),
  )
}

/** Runs a cluster for the tests of a suite; `start` makes what it needs, and answers how that ends as well. */
export function clusterForSuite(
  start: () => Promise<{ readonly setting: ClusterSetting; stop(): Promise<void> }>,
): () => Cluster {
  const finished = Promise.withResolvers<void>()
  let cluster: Cluster | undefined
  let stop = async () => undefined as void
  let running: Promise<void> = Promise.resolve()
  beforeAll(async () => {
    const needed = await start()
    stop = needed.stop
    await new Promise<void>((resolve, reject) => {
      running = withCluster(needed.setting, (started) => {
        cluster = started
        resolve()
        return finished.promise
      })
      running.catch(reject)
    })
  }, 60_000)
  afterAll(async () => {
    finished.resolve()
    // What kept it from starting was told there.
    await running.catch(() => undefined)
    await stop()
  }, 60_000)
  return () => {
    if (cluster === undefined) throw new Error('the cluster did not start')
    return cluster
  }
}

export interface Key {
  readonly id: string
  readonly headers: Readonly<Record<string, string>>
}

export async function createKey(origin: string, more: object = {}): Promise<Key> {
  const answer = await manage(origin, '/auth/keys', { name: 'cluster', ...more })
  expect(answer.status).toBe(201)
  const { key, rawKey } = (await answer.json()) as { key: { id: string }; rawKey: string }
  issued.note('API key', rawKey.slice(-49))
  return { id: key.id, headers: { 'x-api-key': rawKey } }
}

/** An answer, and when it was asked for and given: epoch ms. */
export interface Answered {
  readonly status: number
  readonly sent: number
  readonly received: number
  readonly retryAfter: number | null
}

/** Asks, and gives up after 20 s: then the status is 0. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answered> {
  const sent = now()
  try {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) })
    await answer.arrayBuffer()
    const retryAfter = answer.headers.get('retry-after')
    return { status: answer.status, sent, received: now(), retryAfter: retryAfter === null ? null : Number(retryAfter) }
  } catch {
    return { status: 0, sent, received: now(), retryAfter: null }
  }
}

/** Epoch ms, with fractions; goes on evenly. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Has `workers` for each of the URLs ask one request after the other until `isEnough` says so. */
export async function loadAll(
  urls: readonly string[],
  init: RequestInit,
  workers: number,
  isEnough: () => boolean,
): Promise<readonly Answered[]> {
  const answers: Answered[] = []
  const work = async (url: string) => {
    while (!isEnough()) answers.push(await ask(url, init))
  }
  await Promise.all(urls.flatMap((url) => Array.from({ length: workers }, () => work(url))))
  return answers
}

/** How many answers there are of each status. */
export function countStatuses(answers: readonly Answered[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Redis tells whole milliseconds, and its clock is not that of the test. */
export const CLOCKS_MS = 2

/**
 * The most that were certainly let in during one window: those asked for and answered within it, wherever it begins,
 * and less the time by which clocks differ. When they were decided is not seen from outside; it was between the two.
 */
export function mostWithin(answers: readonly Answered[], windowMs: number): number {
  const window = windowMs - CLOCKS_MS
  const letIn = answers.filter(({ status }) => status === 200).sort((a, b) => a.sent - b.sent)
  let most = 0
  for (const [index, { sent: start }] of letIn.entries()) {
    let count = 0
    for (let at = index; at < letIn.length; at += 1) {
      const { sent, received } = letIn[at] as Answered
      if (sent >= start + window) break
      if (received < start + window) count += 1
    }
    most = Math.max(most, count)
  }
  return most
}

/** How many of a sorted list are at most `value`. */
function countUpTo(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Of all refusals, the fewest that may have been let in during the window before it: one that is below the limit was
 * refused for nothing.
 */
export function fewestBeforeRefusal(answers: readonly Answered[], window: number): number {
  const letIn = answers.filter(({ status }) => status === 200)
  const sents = letIn.map(({ sent }) => sent).sort((a, b) => a - b)
  const ends = letIn.map(({ received }) => received).sort((a, b) => a - b)
  let fewest = Number.POSITIVE_INFINITY
  for (const { status, sent, received } of answers) {
    if (status === 429) fewest = Math.min(fewest, countUpTo(sents, received) - countUpTo(ends, sent - window))
  }
  return fewest
}

/** Minimum, median, 99th percentile and maximum of times in ms, to be read. */
export function describeTimes(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1)
  return `${sorted.length} trials: min ${at(0)} ms, median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`
}
