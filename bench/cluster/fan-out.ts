/** How long after the answer to a revocation another process refuses the key. */
import { median, quantile } from '../median.ts'
import type { Report } from '../report.ts'
import type { Place } from './place.ts'
import { MASTER_KEY, type Setting } from './server.ts'
import { withServers } from './servers.ts'

async function manage<T>(origin: string, path: string, body: object): Promise<T> {
  const answer = await fetch(`${origin}auth${path}`, {
    method: 'POST',
    headers: { 'x-admin-key': MASTER_KEY, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

async function statusOf(origin: string, rawKey: string): Promise<number> {
  const answer = await fetch(origin, { headers: { 'x-api-key': rawKey } })
  await answer.arrayBuffer()
  return answer.status
}

async function timesOf(setting: Setting, trials: number): Promise<readonly number[]> {
  const times: number[] = []
  await withServers([setting, setting], async ([first, second]) => {
    if (first === undefined || second === undefined) return
    for (let trial = 0; trial < trials; trial += 1) {
      const made = await manage<{ key: { id: string }; rawKey: string }>(first.origin, '/keys', { name: 'bench' })
      await statusOf(second.origin, made.rawKey)
      // Looks of who has no bell are as far from the next one as chance has it.
      await Bun.sleep(Math.random() * 250)
      await manage(first.origin, `/keys/${made.key.id}/revoke`, {})
      const began = performance.now()
      while ((await statusOf(second.origin, made.rawKey)) === 200) await Bun.sleep(0)
      times.push(performance.now() - began)
    }
  })
  return times
}

/** From the answer to a revocation to the refusal in another process. */
export async function measureFanOut(place: Place, report: Report, trials: number): Promise<void> {
  const settings: Readonly<Record<string, Setting>> = {
    Redis: { database: await place.createPostgres(), redis: place.redis.url, limit: false },
    'LISTEN of PostgreSQL': { database: await place.createPostgres(), limit: false },
    'looks at the database': { database: place.createSqlite(), limit: false },
  }
  for (const [name, setting] of Object.entries(settings)) {
    report.progress(`revocations heard of by ${name}`)
    const times = await timesOf(setting, trials)
    const note = `p99 ${quantile(times, 0.99).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms, of ${trials}`
    report.add({ group: 'cluster', name: `a revocation heard of by ${name}`, value: median(times), unit: 'ms', note })
  }
}
