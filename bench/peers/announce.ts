/** What a server of the comparison proves of itself before it is measured, and then says. */
import type { Announcement } from '../server.ts'

/** Requests of which the last must be refused. */
export interface Refusal {
  readonly headers: Readonly<Record<string, string>>
  readonly status: 401 | 429
  /** How many are sent, one after the other. Default 1. */
  readonly requests?: number
  /** Where a server with a lower limit listens. Default: where the measured one does. */
  readonly port?: number
}

export interface Entry extends Announcement {
  /** None for what guards nothing. */
  readonly refusals: readonly Refusal[]
}

async function answerOf(port: number, headers: Readonly<Record<string, string>>) {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers })
  return { status: answer.status, text: await answer.text() }
}

async function requireRefusal(port: number, { headers, status, requests = 1, port: own = port }: Refusal) {
  let given = await answerOf(own, headers)
  for (let sent = 1; sent < requests; sent++) given = await answerOf(own, headers)
  if (given.status === status) return
  throw new Error(`No comparison: request ${requests} was answered ${given.status} where ${status} was due`)
}

/**
 * Sends what is right and what is wrong.
 *
 * @throws Error when the one is not answered 200, or the other not refused: whoever lets everything through is no
 * comparison
 */
export async function requireGuard({ port, headers, inTurn, refusals }: Entry): Promise<void> {
  const first = inTurn?.values[0]
  const right = inTurn === undefined || first === undefined ? headers : { [inTurn.name]: first }
  const { status, text } = await answerOf(port, right)
  if (status !== 200 || text === '') throw new Error(`No comparison: the right credential was answered ${status}`)
  for (const refusal of refusals) await requireRefusal(port, refusal)
}

/** Prints the announcement, as JSON, of a server that is as it should be. */
export async function announce(entry: Entry): Promise<void> {
  await requireGuard(entry)
  const { refusals: _, ...announcement } = entry
  console.log(JSON.stringify(announcement))
}
