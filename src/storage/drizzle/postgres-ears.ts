/** One connection that listens, and is proven to hear: PgBouncer takes LISTEN and delivers nothing. */
import type { SQL } from 'bun'
import { within } from '../../lib/within.ts'
import type { ListenState } from '../listen.ts'
import { CHANGES_CHANNEL } from './database.ts'
import { DatabaseTimeoutError } from './failures.ts'

export interface EarsOptions {
  /** A client of one connection. */
  readonly connect: (onClose: () => void) => SQL
  /** Notifies a channel by another connection. */
  readonly ring: (channel: string) => Promise<unknown>
  /** ms until it must have heard itself. */
  readonly timeout: number
  readonly hear: (payload: string) => void
  readonly onState: (state: ListenState) => void
}

/**
 * @returns ends it
 * @throws DatabaseTimeoutError when it does not hear itself
 */
export async function openEars({ connect, ring, timeout, hear, onState }: EarsOptions): Promise<() => Promise<void>> {
  const client = connect(() => onState('lost'))
  const end = () => client.close({ timeout: 0 })
  const heard = Promise.withResolvers<void>()
  // Of its own: whoever else listens to changes is not woken.
  const channel = `machine_auth_${crypto.randomUUID()}`
  async function listen(): Promise<void> {
    const echo = await client.listen(channel, () => heard.resolve())
    // Also when it listens again on a new connection.
    await client.listen(CHANGES_CHANNEL, hear, () => onState('heard'))
    await ring(channel)
    await heard.promise
    await echo.unlisten()
  }
  try {
    if (await within(timeout, listen())) return end
    throw new DatabaseTimeoutError('What is told by LISTEN is not heard.')
  } catch (error) {
    await end()
    throw error
  }
}
