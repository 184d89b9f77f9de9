/** SECURITY.md: verifying costs a server no more for many who ask, and for none when nobody waits; no start waits. */
import { Database } from 'bun:sqlite'
import { afterEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { breathe } from '../../src/lib/breathe.ts'
import { openLog } from '../recording/audit/support.ts'
import { expectProblem } from '../support/answers.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { expectRefused } from '../support/refusals.ts'
import { asMaster, createTestApp, createTestCore } from '../support/test-app.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) removeDirectory(directory)
})

const countOf = ({ storage }: ReturnType<typeof openLog>, verb: string) =>
  storage.calls.filter((call) => call === `audit.${verb}`).length

/** A log of four pages. */
async function long() {
  const log = openLog()
  await log.write(1700)
  await log.audit.seal()
  log.storage.calls.length = 0
  return log
}

describe('verifying', () => {
  test('many who ask at once share one way through the log, and each is told what he asked', async () => {
    const log = await long()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => log.audit.verify({ unverifiable: n % 2 })))
    expect(answers.map(({ ok }) => ok)).toEqual(Array.from({ length: 20 }, (_, n) => n % 2 === 0))
    expect(countOf(log, 'listSealed')).toBe(4)
    await log.audit.verify()
    expect(countOf(log, 'listSealed')).toBe(8)
  })

  test('reads the marks once a page, whatever stands there', async () => {
    const log = await long()
    for (const [id, event] of log.storage.rows.audit) {
      if (Number(event.sequence) % 2 === 0) log.storage.rows.audit.delete(id)
      else if (Number(event.sequence) > 850)
        log.storage.rows.audit.set(id, { ...event, sequence: Number(event.sequence) + 1e6 })
    }
    expect((await log.audit.verify()).problemCount).toBeGreaterThan(800)
    expect(countOf(log, 'findMark')).toBeLessThan(20)
  })

  test('ends when the only one who asked is gone, and not before', async () => {
    const log = await long()
    const [one, two] = [new AbortController(), new AbortController()]
    const asked = [one, two].map(({ signal }) => log.audit.verify({ signal }))
    const staying = log.audit.verify()
    one.abort()
    await expectRefused(asked[0] ?? Promise.resolve(), 'request_malformed')
    expect(await staying).toMatchObject({ ok: true, checked: 1700 })
    await asked[1]
    log.storage.calls.length = 0
    const alone = new AbortController()
    log.storage.before.set('audit.listSealed', () => alone.abort())
    await expectRefused(log.audit.verify({ signal: alone.signal }), 'request_malformed')
    await breathe()
    expect(countOf(log, 'listSealed')).toBe(1)
    expect(await log.audit.verify()).toMatchObject({ ok: true, checked: 1700 })
  })

  test('is refused above a bound, by what the head says and by what there is', async () => {
    const log = await long()
    await expectRefused(log.audit.verify({ most: 1699 }), 'validation_failed')
    expect(countOf(log, 'listSealed')).toBe(0)
    expect((await log.audit.verify({ most: 1700 })).ok).toBeTrue()
    log.storage.rows.auditMarks.clear()
    log.storage.calls.length = 0
    await expectRefused(log.audit.verify({ most: 600 }), 'validation_failed')
    // Of four pages two, after a look for the head that is gone.
    expect(countOf(log, 'listSealed')).toBe(3)
  })

  test('over HTTP is for so many as a connection waits for', async () => {
    await using t = await createTestApp()
    await t.core.audit.seal()
    t.client.run(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 50001)
       insert into machine_auth_audit (id, at, action, actor, subject, details, sequence, mac, mac_key)
       select 'evt_' || i, 1, 'a', 'b', 'c', '{}', i + 1000, 'x', 'x' from n`,
    )
    t.client.run('delete from machine_auth_audit_marks')
    const answer = await t.ask('/auth/audit/verify', { headers: asMaster })
    expectProblem(answer, 'validation_failed')
    expect(String(answer.json.detail)).toContain('run machine-auth audit verify')
  })
})

test('no start waits for the places of what an older version wrote', async () => {
  const directory = createDatabaseDirectory('machine-auth-start')
  directories.push(directory)
  const database = `sqlite:${join(directory, 'auth.db')}` as const
  const open = () => createTestCore({ database })
  const first = open()
  await first.core.ready
  await first.core.close()
  using client = new Database(join(directory, 'auth.db'))
  client.run('delete from machine_auth_audit')
  client.run('delete from machine_auth_audit_marks')
  client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
     insert into machine_auth_audit (id, at, action, actor, subject, details)
     select 'evt_' || i, 1, 'a', 'b', 'c', '{}' from n`,
  )
  const { core } = open()
  await core.ready
  const waiting = () =>
    client.query<{ n: number }, []>('select count(*) as n from machine_auth_audit where sequence is null').get()?.n ?? 0
  expect(waiting()).toBeGreaterThan(2500)
  await core.audit.seal()
  await core.audit.seal()
  await core.close()
  expect(waiting()).toBe(0)
})
