/** SECURITY.md: a secret that is not given proves nothing, stops nothing for good, and is never passed over in silence. */
import { describe, expect, test } from 'bun:test'
import { AuditMacs } from '../../src/recording/audit/macs.ts'
import type { AuditProblem } from '../../src/recording/audit/report.ts'
import { OTHER_SECRET, openLog } from '../recording/audit/support.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, SECRET } from '../support/services.ts'

type Log = ReturnType<typeof openLog>
const kinds = ({ problems }: { readonly problems: readonly AuditProblem[] }): readonly string[] =>
  problems.map(({ kind }) => kind)

async function sealed(count: number): Promise<Log> {
  const log = openLog()
  await log.write(count)
  await log.audit.seal()
  return log
}

/** The same storage, seen by a process that has seen nothing of it. */
const reopened = ({ storage }: Log, secrets: readonly string[] = [SECRET]) => openLog({ secrets }, storage)

const NOBODYS = 'f'.repeat(16)
function rewrite({ storage: { rows } }: Log, upTo: number) {
  for (const [id, event] of rows.audit) {
    if (Number(event.sequence) <= upTo) rows.audit.set(id, { ...event, actor: 'user_9', macKey: NOBODYS })
  }
}
function remove({ storage: { rows } }: Log, upTo: number) {
  for (const [id, { sequence }] of rows.audit) if (Number(sequence) <= upTo) rows.audit.delete(id)
}
const putMark = ({ storage: { rows } }: Log, name: 'head' | 'checkpoint', sequence: number) =>
  rows.auditMarks.set(name, { name, sequence, at: 1, mac: 'x', macKey: NOBODYS })

/** What a newer process with another secret did before it was told not to: events and head of its own on top. */
function sealOver({ storage: { rows } }: Log, secret: string) {
  const macs = new AuditMacs([secret])
  const newest = [...rows.audit.values()].find(({ sequence }) => sequence === 3)
  if (newest === undefined) throw new Error('three events are expected')
  const event = { ...newest, id: 'evt_foreign', sequence: 4 }
  rows.audit.set(event.id, { ...event, ...macs.ofEvent(event) })
  rows.auditMarks.set('head', { name: 'head', sequence: 4, at: 1, ...macs.ofMark('head', { sequence: 4, at: 1 }) })
}

describe('whoever names a secret that nobody has', () => {
  test.each<[string, (log: Log) => unknown, readonly string[]]>([
    ['in the oldest event', (log) => rewrite(log, 1), ['unverifiable']],
    ['in all but the newest', (log) => rewrite(log, 4), ['unverifiable']],
    ['in all, and the head', (log) => [rewrite(log, 5), putMark(log, 'head', 5)], ['head', 'unverifiable', 'head']],
    [
      'for all that is left of a log: its marks',
      (log) => [remove(log, 5), putMark(log, 'head', 5), putMark(log, 'checkpoint', 5)],
      ['head', 'checkpoint', 'head'],
    ],
    [
      'for a checkpoint before one that he rewrote',
      (log) => [remove(log, 3), rewrite(log, 4), putMark(log, 'checkpoint', 3)],
      ['unverifiable', 'missing', 'checkpoint'],
    ],
  ])('%s is found', async (_, tamper, expected) => {
    const log = await sealed(5)
    tamper(log)
    const verified = await reopened(log).audit.verify({ atLeast: 5 })
    expect(kinds(verified)).toEqual([...expected])
    expect(verified.ok).toBeFalse()
    if (expected.includes('head')) expect(verified.head).toBeNull()
  })

  test('hides nothing behind events that are accepted', async () => {
    const log = await sealed(5)
    rewrite(log, 2)
    const { audit } = reopened(log)
    expect((await audit.verify({ unverifiable: 2 })).ok).toBeTrue()
    for (const unverifiable of [0, 1, 3]) expect(kinds(await audit.verify({ unverifiable }))).toEqual(['unverifiable'])
    remove(log, 1)
    putMark(log, 'checkpoint', 1)
    rewrite(log, 3)
    expect(kinds(await audit.verify({ unverifiable: 2 }))).toEqual(['missing', 'checkpoint'])
  })

  test.each([-1, 0.5, Number.NaN])('%d events cannot be accepted', async (unverifiable) => {
    await expectInvalid(openLog().audit.verify({ unverifiable }), 'unverifiable')
  })
})

describe('one run under a wrong secret', () => {
  test('seals nothing, is warned once, and does not stop the right one', async () => {
    const right = await sealed(3)
    const wrong = reopened(right, [OTHER_SECRET])
    await wrong.write(1)
    await wrong.audit.seal()
    await wrong.audit.stop()
    expect(wrong.warnings).toEqual([expect.stringContaining('audit adopt')])
    expect(right.storage.rows.auditMarks.get('head')?.sequence).toBe(3)
    await right.write(1)
    expect(await right.audit.verify({ unverifiable: 1 })).toMatchObject({ ok: true, head: { sequence: 4 } })
    // Given after the right one, it is no mystery any more.
    const both = reopened(right, [SECRET, OTHER_SECRET])
    expect(await both.audit.verify()).toMatchObject({ ok: true, unverifiable: 0, head: { sequence: 5 } })
  })
})

describe('adopting', () => {
  test('goes on after a secret that is lost, once somebody says so, and writes down what it took over', async () => {
    const old = await sealed(3)
    const { audit, write, sequences } = reopened(old, [OTHER_SECRET])
    await write(1)
    await audit.seal()
    expect(sequences()).toContain(null)
    expect(await audit.adopt({ ...actorWith(['*']), id: 'cli' })).toMatchObject({
      adopted: true,
      sequence: 3,
      unverifiable: 3,
      head: 'unknown',
      checkpoint: 'missing',
    })
    expect(await audit.verify({ unverifiable: 3 })).toMatchObject({ ok: true, checked: 5, head: { sequence: 5 } })
    expect((await audit.verify()).ok).toBeFalse()
    const { items } = await audit.list({ action: 'audit.adopted' })
    expect(items).toMatchObject([{ actor: 'cli', details: { sequence: 3, unverifiable: 3, head: 'unknown' } }])
  })

  test('lets the right secret go on after a wrong one sealed over it', async () => {
    const log = await sealed(3)
    sealOver(log, OTHER_SECRET)
    await log.write(1)
    await log.audit.seal()
    expect(log.warnings).toEqual([expect.stringContaining('a secret that is not given here')])
    await reopened(log).audit.adopt()
    await log.write(1)
    expect(await log.audit.verify({ unverifiable: 1 })).toMatchObject({ ok: true, head: { sequence: 7 } })
  })

  test.each<[string, (log: Log) => unknown]>([
    ['deleted', ({ storage }) => storage.rows.auditMarks.delete('head')],
    [
      'changed',
      ({ storage: { rows } }) => {
        const head = rows.auditMarks.get('head')
        if (head !== undefined) rows.auditMarks.set('head', { ...head, mac: 'x' })
      },
    ],
  ])('goes on after a head that was %s', async (_, tamper) => {
    const log = await sealed(3)
    tamper(log)
    const { audit, write } = reopened(log)
    await audit.adopt()
    await write(1)
    expect(await audit.verify()).toMatchObject({ ok: true, head: { sequence: 5 } })
  })

  test('vouches for nothing that was changed or taken out', async () => {
    const log = await sealed(5)
    remove(log, 2)
    rewrite(log, 3)
    putMark(log, 'head', 5)
    const { audit } = reopened(log)
    await audit.adopt()
    expect(kinds(await audit.verify())).toEqual(['unverifiable', 'missing'])
    expect(kinds(await audit.verify({ unverifiable: 1 }))).toEqual(['missing'])
  })

  test('signs the checkpoint anew, for what is gone already', async () => {
    const old = openLog({ retention: 1 })
    await old.write(3)
    await old.audit.sweep(old.time.now + 1)
    const { audit } = reopened(old, [OTHER_SECRET])
    await audit.adopt()
    const verified = await audit.verify({ unverifiable: 1 })
    expect(verified).toMatchObject({ ok: true, checkpoint: { sequence: 2 }, head: { sequence: 4 } })
  })

  test('changes nothing where there is nothing to adopt', async () => {
    const { audit, storage } = await sealed(3)
    const before = storage.rows.auditMarks.get('head')
    expect(await audit.adopt()).toMatchObject({ adopted: false, sequence: 3, unverifiable: 0 })
    expect(storage.rows.auditMarks.get('head')).toEqual(before)
    expect(storage.rows.audit.size).toBe(3)
  })

  test('is for the platform, and no race with who seals', async () => {
    const log = await sealed(3)
    await expectRefused(log.audit.adopt(actorWith(['*'], { organizationId: 'org_a' })), 'permission_required')
    putMark(log, 'head', 3)
    log.storage.before.set('audit.replaceMark', () => void putMark(log, 'head', 4))
    await expectRefused(reopened(log).audit.adopt(), 'storage_unavailable')
  })
})
