/** Connections of our own to PostgreSQL, through Bun's driver. */
import { SQL } from 'bun'
import type { Listen, ListenState } from '../listen.ts'
import type { PostgresSettings } from './database.ts'
import { openEars } from './postgres-ears.ts'

/** ms to wait for a connection at most, and the part of a verb's time: so the error names the cause. */
const CONNECTION_TIMEOUT = 5000
const CONNECTION_PART = 0.8
/** ms in which who listens must hear himself, connecting included. */
const HEARING = 3000
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

/** Who listens by a connection of its own. */
interface Listener {
  readonly onState: (state: ListenState) => void
  readonly end: () => Promise<void>
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
  const listening = new Set<Listener>()

  // Drizzle keeps the client that it is given: this one is always that of today.
  const client = new Proxy(current, {
    apply: (_, self, given) => Reflect.apply(current, self, given),
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
      for (const { onState, end } of listening) {
        end().catch(() => undefined)
        onState('ended')
      }
      listening.clear()
    },
    async listen(hear, onState = () => undefined) {
      const end = await openEars({
        connect: (onClose) => connect(1, onClose),
        ring: (channel) => current.unsafe('select pg_notify($1, $2)', [channel, '']),
        timeout: Math.min(timeout, HEARING),
        hear,
        onState,
      })
      const listener = { onState, end }
      listening.add(listener)
      return async () => {
        if (listening.delete(listener)) await end()
      }
    },
    async close() {
      isOpen = false
      await Promise.all([...listening].map(({ end }) => end()))
      await current.close({ timeout: CLOSING })
    },
  }
}
