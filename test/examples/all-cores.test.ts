import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { until } from '../support/until.ts'
import { type Example, request, START_TIMEOUT, startExample } from './support.ts'

const MASTER_KEY = 'gW3nTz8KdR1mXs5QpYv7LbHc2JfUe4Aa'
const ADMIN = { 'x-admin-key': MASTER_KEY }
/** ms in which something that must happen has happened, on a machine that is busy with others. */
const PATIENCE = 10_000

let example: Example

beforeAll(async () => {
  example = await startExample('examples/all-cores.ts', {
    args: ['2'],
    env: { MACHINE_AUTH_SECRET: 'k5Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ7q', MACHINE_AUTH_MASTER_KEY: MASTER_KEY },
  })
}, START_TIMEOUT)
afterAll(() => example[Symbol.asyncDispose]())

/** A connection of its own, so that the kernel chooses a process anew. */
async function ask(target: string, headers: Readonly<Record<string, string>> = {}) {
  return request(example.origin, target, { headers: { ...headers, connection: 'close' } })
}

/** Asks until every one of some processes answered. @returns what the last answer of each was */
async function askEach(processes: ReadonlySet<number>, target: string, headers: Readonly<Record<string, string>>) {
  const answers = new Map<number, number>()
  const deadline = Date.now() + PATIENCE
  while (answers.size < processes.size && Date.now() < deadline) {
    const { status, body } = await ask(target, headers)
    if (typeof body.process === 'number') answers.set(body.process, status)
  }
  return answers
}

async function findProcesses(count: number): Promise<ReadonlySet<number>> {
  const found = new Set<number>()
  const deadline = Date.now() + PATIENCE
  while (found.size < count && Date.now() < deadline) found.add((await ask('GET /')).body.process)
  return found
}

/** Whether a process is there; one that ended and was not yet asked for its code is not. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function childrenOf(pid: number): readonly number[] {
  const stats = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return stats.map(Number).filter((one) => {
    try {
      return Number(readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === pid
    } catch {
      return false
    }
  })
}

// Elsewhere a port that is shared gives all connections to one process.
describe.skipIf(process.platform !== 'linux')('as many processes as are asked for', () => {
  let processes: ReadonlySet<number>

  test(
    'share one port',
    async () => {
      processes = await findProcesses(2)
      expect(processes.size).toBe(2)
      expect(childrenOf(example.pid).toSorted()).toEqual([...processes].toSorted())
    },
    START_TIMEOUT,
  )

  test(
    'know each key, and within a second that it is revoked',
    async () => {
      const { body } = await request(example.origin, 'POST /auth/keys', { headers: ADMIN, body: { name: 'all cores' } })
      const key = { 'x-api-key': body.rawKey }
      const answers = await askEach(processes, 'GET /data', key)
      expect([...answers.values()]).toEqual([200, 200])

      await request(example.origin, `POST /auth/keys/${body.key.id}/revoke`, { headers: ADMIN, body: {} })
      const revokedAt = performance.now()
      let acceptedAt = revokedAt
      // A refusal does not tell whose it is: both processes answer many of these.
      for (let refusals = 0; refusals < 100; ) {
        const { status } = await ask('GET /data', key)
        if (status === 401) refusals += 1
        else {
          refusals = 0
          acceptedAt = performance.now()
        }
        if (performance.now() - revokedAt > PATIENCE) break
      }
      expect(acceptedAt - revokedAt).toBeLessThan(1000)
    },
    START_TIMEOUT,
  )

  test(
    'end together on SIGTERM, before anybody loses patience',
    async () => {
      const started = performance.now()
      await example.kill()
      expect(performance.now() - started).toBeLessThan(5000)
      expect([...processes].filter(runs)).toEqual([])
      expect(example.exitCode()).toBe(0)
    },
    START_TIMEOUT,
  )
})

describe.skipIf(process.platform !== 'linux')('no process is left alone', () => {
  const env = { MACHINE_AUTH_SECRET: 'k5Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ7q' }

  const untilGone = (pids: readonly number[]) => until(() => !pids.some(runs), PATIENCE)

  test(
    'by the one that started them, when it is killed',
    async () => {
      await using other = await startExample('examples/all-cores.ts', { args: ['2'], env })
      const children = childrenOf(other.pid)
      expect(children).toHaveLength(2)
      process.kill(other.pid, 'SIGKILL')
      await untilGone(children)
    },
    START_TIMEOUT,
  )

  test(
    'by the other one: nothing is restarted, and all end',
    async () => {
      await using other = await startExample('examples/all-cores.ts', { args: ['2'], env })
      const children = childrenOf(other.pid)
      process.kill(children[0] ?? Number.NaN, 'SIGKILL')
      await untilGone([other.pid, ...children])
      expect(other.exitCode()).not.toBe(0)
    },
    START_TIMEOUT,
  )
})
