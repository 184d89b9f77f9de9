/**
 * The clients, in a process of their own: `bun bench/soak/clients.ts FIXTURES GOOD_KEYS`, fixtures as JSON. Tells its
 * tally whenever it is asked, and begins a new one.
 */
import { KINDS, type Send, type World } from './kinds.ts'
import type { Fixtures } from './server.ts'
import { Tally, type TallyText } from './tally.ts'

export const CLIENTS = import.meta.path

export interface Told {
  readonly tally?: TallyText
}

/** What refusals are told apart by. */
function codeOf(text: string): string {
  return /"code":"([a-z_]+)"/.exec(text)?.[1] ?? ''
}

if (import.meta.main) {
  const [fixturesText = '{}', goodKeys = ''] = process.argv.slice(2)
  const fixtures = JSON.parse(fixturesText) as Fixtures
  let tally = new Tally()
  let isOver = false

  const send: Send = async (name, accepted, path, init) => {
    const began = performance.now()
    const answer = await fetch(`http://127.0.0.1:${fixtures.port}${path}`, init)
    const text = await answer.text()
    const took = (performance.now() - began) * 1000
    const outcome = answer.status < 400 ? String(answer.status) : `${answer.status} ${codeOf(text)}`
    tally.note(name, outcome, accepted, took)
    return { text, headers: answer.headers }
  }
  const world: World = { send, fixtures, goodKeys: Number(goodKeys) }

  async function repeat(name: string, round: (world: World, random: () => number) => Promise<unknown>): Promise<void> {
    while (!isOver) {
      try {
        await round(world, Math.random)
      } catch (error) {
        if (isOver) return
        tally.fail(name, error instanceof Error ? error.message : String(error))
        // Of a server that is gone one line in a while is enough.
        await Bun.sleep(100)
      }
    }
  }

  const tell = (told: Told) => process.send?.(told)
  process.on('message', () => {
    tell({ tally: tally.toJSON() })
    tally = new Tally()
  })
  process.once('disconnect', () => {
    isOver = true
    process.exit()
  })
  tell({})
  for (const [name, { loops, round }] of Object.entries(KINDS)) {
    for (let loop = 0; loop < loops; loop += 1) void repeat(name, round)
  }
}
