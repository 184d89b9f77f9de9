import { describe, expect, test } from 'bun:test'
import type { AuditEvent } from '../../../src/recording/audit/event.ts'
import { RepeatedEvents } from '../../../src/recording/audit/repeated-events.ts'

const MINUTE = 60_000

function create(limits = { mostOfOne: 2, mostInAll: 4 }) {
  const time = { now: 0 }
  const written: string[] = []
  const events = new RepeatedEvents({
    clock: () => time.now,
    ...limits,
    write: async ({ actor, subject, details }: AuditEvent) => {
      written.push(`${actor.id} ${subject} ${details?.more ?? 0}`)
    },
  })
  const note = (id: string, subject: string, isDecisive = false) =>
    events.note(id, { action: 'a', actor: { id }, subject }, isDecisive)
  return { time, written, events, note }
}

describe('in a minute', () => {
  test('the first one is written at once, and others that are different', async () => {
    const { written, note } = create()
    for (const subject of ['x', 'x', 'y', 'z', 'x']) await note('one', subject)
    expect(written).toEqual(['one x 0', 'one y 0'])
  })

  test('a decisive one is written with the number of those before', async () => {
    const { written, note, events } = create()
    for (const isDecisive of [false, false, false, true]) await note('one', 'x', isDecisive)
    expect(written).toEqual(['one x 0', 'one x 2'])
    await events.stop()
    expect(written).toHaveLength(2)
  })

  test('of many only so many are written, and how many more there were', async () => {
    const { written, note, events } = create()
    for (let one = 1; one <= 100; one++) await note(`one-${one}`, 'x', one % 2 === 0)
    expect(written).toHaveLength(4)
    await events.stop()
    expect(written.slice(4)).toEqual(['several several 96'])
  })
})

test('the next minute begins with what was counted in the one before', async () => {
  const { written, note, time } = create()
  for (let turn = 0; turn < 5; turn++) await note('one', 'x')
  time.now += MINUTE - 1
  await note('one', 'x')
  expect(written).toEqual(['one x 0'])
  time.now += 1
  await note('two', 'x')
  await note('one', 'x')
  expect(written.slice(1)).toEqual(['one x 5', 'two x 0', 'one x 0'])
})

test('nothing is written of nothing', async () => {
  const { written, events } = create()
  await events.stop()
  expect(written).toEqual([])
})
