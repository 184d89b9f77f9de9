/** Connections of our own to PostgreSQL, through Bun's driver. */
import { SQL } from 'bun'
import { CHANGES_CHANNEL, type Listen, type PostgresSettings } from './database.ts'

/** ms to wait for a connection at most, and the part of a verb's time: so the error names the cause. */
const CONNECTION_TIMEOUT = 5000
const CONNECTION_PART = 0.8
/** Seconds that running statements may take to end when it is closed. */
const CLOSING = 5

export interface PostgresPool {
  readonly client: SQL
  /**
   * Puts new connections in the place of those there are, and ends these with what waits on them: a host that went
   * without a word answers nothing on its old ones for a quarter of an hour.
   */
  renew(): void
  readonly listen: Listen
  close(): Promise<void>
}

/** @param timeout ms that a verb may take */
export function createPostgresPool(
  url: string,
  { poolSize, prepare, ca }: PostgresSettings,
  timeout: number,
): PostgresPool {
  const connect = (max: number, onclose: () => void = () => undefined) =>
    new SQL({
      url,
      max,
      prepare,
      onclose,
      connectionTimeout: Math.min(CONNECTION_TIMEOUT, timeout * CONNECTION_PART) / 1000,
      ...(ca === null ? {} : { tls: Bun.file(ca) }),
    })
  let current = connect(poolSize)
  let isOpen = true
  const listening = new Set<SQL>()

  // Drizzle keeps the client that it is given: this one is always that of today.
  const client = new Proxy(current, {
    get(_, name) {
      const member: unknown = Reflect.get(current, name)
      return typeof member === 'function' ? member.bind(current) : member
    },
  })

  return {
    client,
    renew() {
      if (!isOpen) return
      const old = current
      current = connect(poolSize)
      old.close({ timeout: 0 }).catch(() => undefined)
    },
    async listen(hear, onHeard?: (isHeard: boolean) => void) {
      const ears = connect(1, () => onHeard?.(false))
      listening.add(ears)
      async function stop(): Promise<void> {
        listening.delete(ears)
        await ears.close({ timeout: 0 })
      }
      try {
        // Also when it listens again on a new connection.
        await ears.listen(CHANGES_CHANNEL, hear, () => onHeard?.(true))
      } catch (error) {
        await stop()
        throw error
      }
      return stop
    },
    async close() {
      isOpen = false
      await Promise.all([...listening].map((ears) => ears.close({ timeout: 0 })))
      await current.close({ timeout: CLOSING })
    },
  }
}
