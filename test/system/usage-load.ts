/** Clients that ask one request after the other, each with a key of its own, and remember what they got. */
import { Database } from 'bun:sqlite'
import { expect } from 'bun:test'
import { join } from 'node:path'
import { issued } from '../support/credentials/watch.ts'
import { manage, startServer } from './fixtures.ts'

export interface Client {
  readonly keyId: string
  readonly rawKey: string
  sent: number
  /** Answers that arrived. */
  answered: number
  /** Of those, how many were not 200. */
  refused: number
  /** ms of the slowest one. */
  slowest: number
}

export async function createClients(origin: string, count: number): Promise<readonly Client[]> {
  const clients: Client[] = []
  for (let index = 0; index < count; index++) {
    const answer = await manage(origin, '/auth/keys', { name: `client ${index}` })
    expect(answer.status).toBe(201)
    const { key, rawKey } = (await answer.json()) as { key: { id: string }; rawKey: string }
    issued.note('API key', rawKey.slice(-49))
    clients.push({ keyId: key.id, rawKey, sent: 0, answered: 0, refused: 0, slowest: 0 })
  }
  return clients
}

/** Has all of them ask until `isEnough` says so, or the server is gone. */
export async function load(origin: string, clients: readonly Client[], isEnough: () => boolean): Promise<void> {
  await Promise.all(clients.map((client) => ask(origin, client, isEnough)))
}

async function ask(origin: string, client: Client, isEnough: () => boolean): Promise<void> {
  while (!isEnough()) {
    const start = performance.now()
    client.sent += 1
    try {
      const answer = await fetch(`${origin}/key`, { headers: { 'x-api-key': client.rawKey } })
      // Its head is an answer, whether or not the rest arrives.
      client.answered += 1
      if (answer.status !== 200) client.refused += 1
      await answer.arrayBuffer()
    } catch {
      return
    }
    client.slowest = Math.max(client.slowest, performance.now() - start)
  }
}

export const answersOf = (clients: readonly Client[]) => clients.reduce((sum, { answered }) => sum + answered, 0)

/** Starts `usage-server.ts` and waits for its address. */
export const startCounting = (cwd: string, usage: object) =>
  startServer(cwd, { USAGE: JSON.stringify(usage) }, 'usage-server.ts')

export interface Counted {
  readonly total: number
  readonly byKey: ReadonlyMap<string, number>
}

/** What the database says, by hours and in all. */
export function counted(folder: string): Counted {
  const database = new Database(join(folder, 'machine-auth.db'), { readonly: true })
  try {
    const sum = 'SELECT coalesce(sum(requests), 0) AS requests FROM machine_auth_usage WHERE'
    const total = database.query<{ requests: number }, []>(`${sum} period = 'total' AND route = ''`).get()
    const rows = database
      .query<{ keyId: string; requests: number }, []>(
        `SELECT key_id AS keyId, sum(requests) AS requests FROM machine_auth_usage
          WHERE period = 'hour' AND route = '/key' GROUP BY key_id`,
      )
      .all()
    return { total: total?.requests ?? 0, byKey: new Map(rows.map(({ keyId, requests }) => [keyId, requests])) }
  } finally {
    database.close()
  }
}
