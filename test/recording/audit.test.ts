import { describe, expect, test } from 'bun:test'
import { AuditLog } from '../../src/recording/audit.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { START } from '../support/services.ts'

function setUp() {
  const storage = createMemoryStorage()
  const time = { now: START }
  const failures: unknown[] = []
  const audit = new AuditLog({
    store: storage.audit,
    clock: () => time.now,
    onFailure: (error) => failures.push(error),
  })
  return { storage, time, audit, failures }
}

const actor = { id: 'user_1' }
const broken = () => {
  throw new Error('disk full')
}

describe('the audit log', () => {
  test('keeps who did what to whom, and when', async () => {
    const { audit } = setUp()
    await audit.record({ action: 'key.created', actor, subject: 'key_1', details: { environment: 'live' } })
    expect((await audit.list()).items).toEqual([
      {
        id: expect.stringMatching(/^evt_[A-Za-z0-9]{16}$/),
        at: new Date(START).toISOString(),
        action: 'key.created',
        actor: 'user_1',
        subject: 'key_1',
        details: { environment: 'live' },
      },
    ])
  })

  test('lists newest first, by action, in pages', async () => {
    const { audit, time } = setUp()
    for (const subject of ['a', 'b', 'c']) {
      time.now += 1
      await audit.record({ action: subject === 'b' ? 'other' : 'same', actor, subject })
    }
    const subjects = async (...args: Parameters<AuditLog['list']>) =>
      (await audit.list(...args)).items.map(({ subject }) => subject)
    expect(await subjects()).toEqual(['c', 'b', 'a'])
    expect(await subjects({ action: 'same' })).toEqual(['c', 'a'])
    const { nextCursor } = await audit.list({}, { limit: 2 })
    expect(await subjects({}, { limit: 2, cursor: nextCursor ?? '' })).toEqual(['a'])
    await expectInvalid(audit.list({}, { limit: 1000 }), 'limit')
  })

  test('a failure is the business of who did something', async () => {
    const { audit, storage } = setUp()
    storage.before.set('audit.append', broken)
    await expect(audit.record({ action: 'key.revoked', actor, subject: 'key_1' })).rejects.toThrow('disk full')
  })

  test('a failure changes nothing for who was refused, and is heard of', async () => {
    const { audit, storage, failures } = setUp()
    storage.before.set('audit.append', broken)
    await audit.recordDenied({ action: 'refresh.reused', actor, subject: 'rt_1' })
    storage.before.set('audit.append', broken)
    await expectRefused(audit.refuseOutOfReach(actor, 'key_1'), 'not_found')
    expect(failures).toHaveLength(2)
  })

  test('a subject that came with the request is cut short', async () => {
    const { audit, storage } = setUp()
    await expectRefused(audit.refuseOutOfReach(actor, 'x'.repeat(10_000)), 'not_found')
    const [event] = [...storage.rows.audit.values()]
    expect(event).toMatchObject({ action: 'cross_tenant_attempt', subject: 'x'.repeat(128) })
  })
})
