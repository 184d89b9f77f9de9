import { describe, expect, test } from 'bun:test'
import { START } from '../../support/services.ts'
import { broken, OTHER_SECRET, openLog, upTo } from './support.ts'

const DAY = 86_400_000

/** Three events of each of four days, and a log that keeps two days. */
async function fourDays() {
  const log = openLog({ retention: 2 * DAY })
  for (const day of upTo(4)) {
    log.time.now = START + day * DAY
    await log.write(3)
  }
  return log
}

describe('retention', () => {
  test('without one everything stays', async () => {
    const { audit, write, time, sequences } = openLog()
    await write(2)
    await audit.seal()
    expect(await audit.sweep(time.now + 10_000 * DAY)).toBe(0)
    expect(sequences()).toEqual([1, 2])
  })

  test.each([
    ['nothing is old enough', 3, 0],
    ['the last moment that is kept', 3 + 1 / DAY, 0],
    ['one event is too old', 3 + 2 / DAY, 1],
    ['a day', 4, 3],
    ['two days', 5, 6],
    ['all', 100, 12],
  ])('%s', async (_, days, purged) => {
    const { audit, storage, sequences } = await fourDays()
    expect(await audit.sweep(START + days * DAY)).toBe(purged)
    expect(sequences()).toEqual(upTo(12).slice(purged))
    expect(storage.rows.auditMarks.get('checkpoint')?.sequence ?? 0).toBe(purged)
    const verified = await audit.verify()
    expect(verified).toMatchObject({ ok: true, checked: 12 - purged, head: { sequence: 12 } })
    expect(verified.checkpoint?.sequence ?? 0).toBe(purged)
  })

  test('goes on from sweep to sweep, and the sequence goes on too', async () => {
    const { audit, write, time, sequences } = await fourDays()
    await audit.sweep(START + 4 * DAY)
    await audit.sweep(START + 5 * DAY)
    time.now = START + 5 * DAY
    await write(1)
    await audit.sweep(START + 6 * DAY)
    expect(sequences()).toEqual(upTo(13).slice(9))
    expect(await audit.verify()).toMatchObject({ ok: true, checkpoint: { sequence: 9 }, head: { sequence: 13 } })
  })

  test('many go in several turns', async () => {
    const { audit, write, sequences } = openLog({ retention: DAY })
    await write(1100)
    expect(await audit.sweep(START + 3 * DAY)).toBe(1100)
    expect(sequences()).toEqual([])
    expect(await audit.verify()).toMatchObject({ ok: true, checkpoint: { sequence: 1100 }, head: { sequence: 1100 } })
  })

  test('an old event behind a younger one waits for it', async () => {
    const { audit, write, time, sequences } = openLog({ retention: DAY })
    time.now = START + 10 * DAY
    await write(1)
    await audit.seal()
    time.now = START
    await write(1)
    expect(await audit.sweep(START + 5 * DAY)).toBe(0)
    expect(sequences()).toEqual([1, 2])
  })

  test('two sweeps at once delete each event once', async () => {
    const log = await fourDays()
    const other = openLog({ retention: 2 * DAY }, log.storage)
    const counts = await Promise.all([log, other].map(({ audit }) => audit.sweep(START + 4 * DAY)))
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3)
    expect(await log.audit.verify()).toMatchObject({ ok: true })
  })

  test.each<[string, (log: Awaited<ReturnType<typeof fourDays>>) => unknown]>([
    [
      'was changed',
      ({ storage }) => {
        for (const [id, event] of storage.rows.audit) {
          if (event.sequence === 2) storage.rows.audit.set(id, { ...event, subject: 'key_9' })
        }
      },
    ],
    [
      'was taken out',
      ({ storage }) => {
        for (const [id, { sequence }] of storage.rows.audit) if (sequence === 2) storage.rows.audit.delete(id)
      },
    ],
    ['has no head', ({ storage }) => storage.rows.auditMarks.delete('head')],
  ])('a log that %s is not purged: that is evidence', async (_, tamper) => {
    const log = await fourDays()
    await log.audit.seal()
    tamper(log)
    const before = log.sequences()
    expect(await log.audit.sweep(START + 4 * DAY)).toBe(0)
    expect(log.sequences()).toEqual(before)
    expect(log.warnings.at(-1)).toContain('are kept although they are old enough to go')
  })

  test('events of a lost secret go too, once the log is adopted', async () => {
    const old = await fourDays()
    await old.audit.seal()
    const lost = openLog({ secrets: [OTHER_SECRET], retention: 2 * DAY }, old.storage)
    lost.time.now = START + 4 * DAY
    await lost.write(1)
    await lost.audit.seal()
    expect(await lost.audit.sweep(START + 4 * DAY)).toBe(0)
    expect(lost.warnings.at(-1)).toContain('its head was changed or deleted, or is of a secret that is not given')
    await lost.audit.adopt()
    expect(await lost.audit.sweep(START + 4 * DAY)).toBe(3)
    expect(await lost.audit.verify({ unverifiable: 9 })).toMatchObject({ ok: true, checkpoint: { sequence: 3 } })
  })

  test('events that only claim to be of a lost secret stay', async () => {
    const { audit, storage } = await fourDays()
    await audit.seal()
    for (const [id, event] of storage.rows.audit) {
      if (event.sequence === 5) storage.rows.audit.set(id, { ...event, macKey: 'f'.repeat(16) })
    }
    expect(await audit.sweep(START + 5 * DAY)).toBe(0)
  })

  test('a purge that fails changes nothing, and is the sweeper’s to hear of', async () => {
    const { audit, storage, sequences } = await fourDays()
    storage.before.set('audit.purge', broken)
    await expect(audit.sweep(START + 4 * DAY)).rejects.toThrow('disk full')
    expect(sequences()).toEqual(upTo(12))
    expect(await audit.sweep(START + 4 * DAY)).toBe(3)
  })
})
