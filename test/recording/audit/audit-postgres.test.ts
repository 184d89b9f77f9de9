/** Writers of the audit log do not wait for each other, nor for who seals it. */

import { afterAll, expect, test } from 'bun:test'
import { SQL } from 'bun'
import { openStorage } from '../../../src/storage/open.ts'
import { createServerDatabase, isServerUp } from '../../contract/adapters.ts'
import { anEvent } from '../../contract/fixtures.ts'
import { fiftyTimes } from '../../contract/support.ts'
import { openLog } from './support.ts'

const isUp = await isServerUp()
const closers: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closers.reverse()) await close()
})

async function openServer() {
  const { url, drop } = await createServerDatabase()
  closers.push(drop)
  const { storage, ready } = openStorage(url, { migrate: 'auto' })
  await ready
  const other = new SQL({ url, max: 1 })
  closers.push(storage.close, () => other.close())
  const { audit, warnings } = openLog({ store: storage.audit })
  const record = () => audit.record({ action: 'a', actor: { id: 'user_1' }, subject: 's' })
  return { storage, other, audit, warnings, record }
}

const required = process.env.REQUIRE_SERVICES === '1'

test.skipIf(!isUp && !required)('events are written and sealed while another one is not committed', async () => {
  const { storage, other, audit, warnings, record } = await openServer()
  const late = anEvent()
  await other.begin(async (open) => {
    await open`insert into machine_auth_audit (id, at, action, actor, subject, details)
      values (${late.id}, 1, 'a', 'user_2', 's', '{}')`
    await fiftyTimes(record)
    await audit.seal()
    expect((await storage.audit.findMark('head'))?.sequence).toBe(50)
    // Of this database alone: the server has others.
    const waiting = await open`select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
    expect(waiting[0]?.n).toBe(0)
  })
  expect((await storage.audit.listUnsealed(10)).map(({ id }) => id)).toEqual([late.id])
  expect(warnings).toEqual([])
})

test.skipIf(!isUp && !required)('50 are written while a sealer holds the head', async () => {
  const { storage, other, audit, warnings, record } = await openServer()
  await record()
  await audit.seal()
  await other.begin(async (sealer) => {
    await sealer`update machine_auth_audit_marks set at = at where name = 'head'`
    await fiftyTimes(record)
    expect(await storage.audit.listUnsealed(100)).toHaveLength(50)
  })
  expect(await audit.verify()).toMatchObject({ ok: true, checked: 51, head: { sequence: 51 } })
  expect(warnings).toEqual([])
})

test.skipIf(!isUp && !required)('details come back from jsonb as they were verified', async () => {
  const { audit } = await openServer()
  const details = { z: 1, a: { y: [1.5, -0, 1e300, 5e-324, null], b: 'ü"\\\u2028' }, '10': 1, '9': 2, long: 1 }
  await audit.record({ action: 'a', actor: { id: 'user_1' }, subject: 's\0', details })
  expect(await audit.verify()).toMatchObject({ ok: true, checked: 1 })
  expect((await audit.list()).items[0]?.details).toEqual({
    ...details,
    a: { ...details.a, y: [1.5, 0, 1e300, 5e-324, null] },
  })
})
