import { describe, expect, test } from 'bun:test'
import { AuditMacs } from '../../../src/recording/audit/macs.ts'
import { anEvent } from '../../contract/fixtures.ts'
import { atOnce } from '../../contract/support.ts'
import { SECRET } from '../../support/services.ts'
import { broken, OTHER_SECRET, openLog, upTo } from './support.ts'

describe('the places of events', () => {
  test('go on from one another, oldest first, and are shown', async () => {
    const { audit, write } = openLog()
    await write(3)
    await audit.seal()
    await write(2)
    const { items } = await audit.list()
    expect(items.map(({ sequence }) => sequence)).toEqual([5, 4, 3, 2, 1])
    expect(await audit.verify()).toEqual({
      ok: true,
      checked: 5,
      unverifiable: 0,
      head: { sequence: 5, at: String(items[0]?.at) },
      checkpoint: null,
      problems: [],
      problemCount: 0,
    })
  })

  test('an empty log is right, and has a head from the start', async () => {
    const { audit, storage } = openLog()
    await audit.seal()
    expect(storage.rows.auditMarks.get('head')).toMatchObject({ sequence: 0 })
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 0, head: { sequence: 0 } })
  })

  test('many are sealed in several turns, and their progress is told', async () => {
    const { audit, write, sequences } = openLog()
    await write(1234)
    await audit.seal()
    expect(sequences()).toEqual(upTo(1234))
    const progress: number[] = []
    expect(await audit.verify({ onProgress: (checked) => progress.push(checked) })).toMatchObject({
      ok: true,
      checked: 1234,
    })
    expect(progress.length).toBeGreaterThan(1)
    expect(progress.at(-1)).toBe(1234)
  })

  test('come by themselves within a second of the writing', async () => {
    const { storage, write, sequences } = openLog()
    const sealed = Promise.withResolvers<void>()
    storage.before.set('audit.seal', () => sealed.resolve())
    await write(1)
    await sealed.promise
    // The verb acts when its interruption is over.
    await Promise.resolve()
    await Promise.resolve()
    expect(sequences()).toEqual([1])
  })

  test('are given before the log is stopped, and not looked for when nothing was written', async () => {
    const { audit, storage, write, sequences } = openLog()
    await write(2)
    await audit.stop()
    expect(sequences()).toEqual([1, 2])
    const idle = openLog({}, storage)
    storage.calls.length = 0
    await idle.audit.stop()
    expect(storage.calls).toEqual([])
  })

  test('are tried once more when the log is stopped', async () => {
    const { audit, storage, write, sequences } = openLog()
    await write(2)
    storage.before.set('audit.seal', broken)
    await audit.seal()
    expect(sequences()).toEqual([null, null])
    await audit.stop()
    expect(sequences()).toEqual([1, 2])
  })

  test('20 processes that seal at once leave no gap', async () => {
    const first = openLog()
    await first.write(300)
    const others = Array.from({ length: 20 }, () => openLog({}, first.storage))
    await Promise.all(
      others.map(async ({ audit, write }) => {
        await write(5)
        await audit.seal()
      }),
    )
    await first.audit.seal()
    expect(first.sequences()).toEqual(upTo(400))
    for (const { warnings } of others) expect(warnings).toEqual([])
    expect(await first.audit.verify()).toMatchObject({ ok: true, checked: 400 })
  })

  test('callers at once share a turn', async () => {
    const { audit, storage, write } = openLog()
    await write(1)
    await atOnce(50, () => audit.seal())
    expect(storage.calls.filter((call) => call === 'audit.findMark').length).toBeLessThan(10)
  })

  test.each(['audit.findMark', 'audit.listUnsealed', 'audit.seal'])(
    'a failing %s is warned of once and made up for, and hides nothing',
    async (verb) => {
      const { audit, storage, write, warnings, sequences } = openLog()
      await write(2)
      for (let attempt = 0; attempt < 3; attempt++) {
        storage.before.set(verb, broken)
        expect((await audit.list()).items.map(({ sequence }) => sequence)).toEqual([null, null])
      }
      expect(warnings).toEqual(['events of the audit log could not be sealed; it is tried again'])
      await audit.seal()
      expect(sequences()).toEqual([1, 2])
      expect(await audit.verify()).toMatchObject({ ok: true, checked: 2 })
    },
  )
})

describe('a log of the version before', () => {
  test.each([1, 200, 450])('%d events without a MAC are taken over, once', async (count) => {
    const { audit, storage, sequences } = openLog()
    for (const _ of upTo(count)) await storage.audit.append(anEvent())
    await audit.seal()
    expect(sequences()).toEqual(upTo(count))
    const late = anEvent()
    await storage.audit.append(late)
    await audit.seal()
    expect(storage.rows.audit.get(late.id)?.sequence).toBeNull()
    const { ok, problems } = await audit.verify()
    expect([ok, problems]).toEqual([false, [{ kind: 'inserted', id: late.id, detail: expect.any(String) }]])
  })

  test('nobody waits for very many, and none is missed behind many that get no place', async () => {
    const { audit, storage, write, sequences } = openLog()
    for (const _ of upTo(2500)) await storage.audit.append(anEvent())
    await audit.seal()
    expect(storage.rows.auditMarks.get('head')?.sequence).toBe(2000)
    // While they are taken over, those without a MAC are nothing that somebody put in.
    storage.before.set('audit.seal', broken)
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 2500 })
    await audit.seal()
    expect(sequences()).toEqual(upTo(2500))
    for (const _ of upTo(2500)) await storage.audit.append(anEvent())
    await write(1)
    await audit.seal()
    await audit.seal()
    expect(storage.rows.auditMarks.get('head')?.sequence).toBe(2501)
  })

  test('what was begun goes on after a failure', async () => {
    const { audit, storage, sequences } = openLog()
    for (const _ of upTo(450)) await storage.audit.append(anEvent())
    // The second turn fails.
    storage.before.set('audit.seal', () => void storage.before.set('audit.seal', broken))
    await audit.seal()
    expect(storage.rows.auditMarks.get('head')?.sequence).toBe(100)
    await openLog({}, storage).audit.seal()
    expect(sequences()).toEqual(upTo(450))
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 450 })
  })
})

describe('other secrets', () => {
  const under = (secrets: readonly string[], storage: ReturnType<typeof openLog>['storage']) =>
    openLog({ secrets }, storage)

  test('after a rotation old events verify, and new ones go on from them', async () => {
    const old = openLog()
    await old.write(3)
    const rotated = under([OTHER_SECRET, SECRET], old.storage)
    await rotated.write(2)
    expect(await rotated.audit.verify()).toMatchObject({ ok: true, checked: 5, unverifiable: 0 })
    expect(new Set([...old.storage.rows.audit.values()].map(({ macKey }) => macKey)).size).toBe(1)
  })

  test.each(['head', 'checkpoint'] as const)(
    'the %s is signed anew before the old secret is taken away',
    async (name) => {
      const old = openLog({ retention: 1 })
      await old.write(3)
      await old.audit.sweep(old.time.now)
      const both = openLog({ secrets: [OTHER_SECRET, SECRET], retention: 1 }, old.storage)
      await both.audit.sweep(old.time.now - 1)
      const mark = old.storage.rows.auditMarks.get(name)
      expect(mark && new AuditMacs([OTHER_SECRET]).checkMark(name, mark)).toBe('right')
    },
  )

  test('an event after others cannot be passed off as one of a lost secret', async () => {
    const { audit, storage, write } = openLog()
    await write(3)
    await audit.seal()
    for (const [id, event] of storage.rows.audit) {
      if (event.sequence === 2) storage.rows.audit.set(id, { ...event, actor: 'user_2', macKey: 'f'.repeat(16) })
    }
    expect(await audit.verify()).toMatchObject({
      ok: false,
      unverifiable: 1,
      problems: [{ kind: 'unverifiable', sequence: 2 }],
    })
  })

  test('a process without the newest secret leaves sealing to those that have it', async () => {
    const old = openLog()
    await old.write(1)
    await old.audit.seal()
    const rotated = under([OTHER_SECRET, SECRET], old.storage)
    await rotated.write(1)
    await rotated.audit.seal()
    await old.write(1)
    await old.audit.seal()
    expect(old.warnings).toEqual([expect.stringContaining('a secret that is not given here')])
    expect(old.sequences()).toContain(null)
    await rotated.audit.seal()
    expect(old.sequences()).toEqual([1, 2, 3])
    expect(await rotated.audit.verify()).toMatchObject({ ok: true, unverifiable: 0 })
  })
})
