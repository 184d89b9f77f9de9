/** Where the comparison keeps what it makes: servers of its own, and directories that are gone at the end. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askPostgres, launchPostgres } from '../../test/support/servers/postgres-process.ts'
import type { PrivateServer } from '../../test/support/servers/private-server.ts'
import { launchRedis } from '../../test/support/servers/redis-process.ts'
import { exitOnSignals } from '../signals.ts'

export interface Place {
  readonly redis: PrivateServer
  readonly postgres: PrivateServer
  /** The URL of a new, empty database of the server. */
  createPostgres(): Promise<string>
  /** The URL of a new file. */
  createSqlite(): string
}

/** Starts PostgreSQL and Redis, which nothing else uses, and ends them after the callback. */
export async function inPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'machine-auth-bench-'))
  const own = mkdtempSync(join(tmpdir(), 'machine-auth-bench-postgres-'))
  const servers: PrivateServer[] = []
  let made = 0
  // Also of a run that is broken off: the servers end with the process.
  process.once('exit', () => {
    for (const path of [directory, own]) rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  })
  exitOnSignals()
  try {
    const redis = await launchRedis(directory)
    servers.push(redis)
    const postgres = await launchPostgres(own)
    servers.push(postgres)
    await use({
      redis,
      postgres,
      async createPostgres() {
        made += 1
        await askPostgres(postgres.url, `create database bench_${made}`)
        return postgres.url.replace(/postgres$/, `bench_${made}`)
      },
      createSqlite() {
        made += 1
        return `sqlite:${join(directory, `bench-${made}.db`)}`
      },
    })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}
