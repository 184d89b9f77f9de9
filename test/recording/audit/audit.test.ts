import { describe, expect, test } from 'bun:test'
import type { AuditLog } from '../../../src/recording/audit/audit.ts'
import { expectInvalid, expectRefused } from '../../support/refusals.ts'
import { actorWith, START } from '../../support/services.ts'
import { broken, openLog } from './support.ts'

const actor = { id: 'user_1' }
const origin = { address: '203.0.113.5', requestId: 'req-12345' }

describe('writing', () => {
  test('keeps who did what to whom, when, and from where', async () => {
    const { audit } = openLog()
    await audit.record({
      action: 'key.created',
      actor: { id: 'user_1', organizationId: null, origin },
      subject: 'key_1',
      organizationId: 'org_1',
      details: { environment: 'live' },
    })
    expect((await audit.list()).items).toEqual([
      {
        id: expect.stringMatching(/^evt_[A-Za-z0-9]{16}$/),
        sequence: 1,
        at: new Date(START).toISOString(),
        action: 'key.created',
        actor: 'user_1',
        subject: 'key_1',
        organizationId: 'org_1',
        ...origin,
        details: { environment: 'live' },
      },
    ])
  })

  test.each([
    ['the actor’s', 'org_a', undefined, 'org_a'],
    ['the actor’s before the one given', 'org_a', 'org_b', 'org_a'],
    ['the one given', null, 'org_b', 'org_b'],
    ['the one given, where the actor names none', undefined, 'org_b', 'org_b'],
    ['none', null, undefined, null],
  ])('it is an event of %s organization', async (_, own, given, expected) => {
    const { audit, storage } = openLog()
    const by = own === undefined ? actor : { ...actor, organizationId: own }
    await audit.record({ action: 'a', actor: by, subject: 's', organizationId: given })
    const [event] = [...storage.rows.audit.values()]
    expect(event).toMatchObject({ organizationId: expected, address: null, requestId: null })
  })

  test('waits for no place: an event has none at first, and its MAC at once', async () => {
    const { audit, storage } = openLog()
    await audit.record({ action: 'a', actor, subject: 's' })
    const [event] = [...storage.rows.audit.values()]
    expect(event).toMatchObject({ sequence: null, mac: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) })
    expect(storage.calls).toEqual(['audit.append'])
  })

  test('what no database stores as it is does not make an event look changed', async () => {
    const { audit, storage } = openLog()
    const details = {
      '\0': '\0',
      half: '\ud800',
      when: new Date(0),
      none: undefined,
      not: Number.NaN,
      b: { z: 1, a: 2 },
    }
    await audit.record({ action: 'a', actor: { id: '\udc00' }, subject: 'x\0', details })
    const [event] = [...storage.rows.audit.values()]
    expect(event).toMatchObject({ actor: '\ufffd', subject: 'x\ufffd' })
    expect(event?.details).toEqual({
      '\ufffd': '\ufffd',
      half: '\ufffd',
      when: '1970-01-01T00:00:00.000Z',
      not: null,
      b: { z: 1, a: 2 },
    })
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 1 })
  })

  test('a failure is the business of who did something', async () => {
    const { audit, storage } = openLog()
    storage.before.set('audit.append', broken)
    await expect(audit.record({ action: 'key.revoked', actor, subject: 'key_1' })).rejects.toThrow('disk full')
  })

  test('a failure changes nothing for who was refused, and is heard of', async () => {
    const { audit, storage, failures } = openLog()
    storage.before.set('audit.append', broken)
    await audit.recordDenied({ action: 'refresh.reused', actor, subject: 'rt_1' })
    storage.before.set('audit.append', broken)
    await expectRefused(audit.refuseOutOfReach(actor, 'key_1'), 'not_found')
    expect(failures).toHaveLength(2)
  })

  test('a denied attempt tells whose and where from; its subject is cut short', async () => {
    const { audit, storage } = openLog()
    const by = { id: 'key_1', organizationId: 'org_a', origin }
    await expectRefused(audit.refuseOutOfReach(by, 'x'.repeat(10_000)), 'not_found')
    const [event] = [...storage.rows.audit.values()]
    expect(event).toMatchObject({
      action: 'cross_tenant_attempt',
      actor: 'key_1',
      subject: 'x'.repeat(128),
      organizationId: 'org_a',
      ...origin,
    })
  })
})

describe('reading', () => {
  async function someEvents() {
    const { audit, time, storage } = openLog()
    const events = [
      ['a', 'same', 'org_a', 'user_1'],
      ['b', 'other', 'org_a', 'user_2'],
      ['c', 'same', 'org_b', 'user_3'],
      ['d', 'same', null, 'user_1'],
    ] as const
    for (const [subject, action, organizationId, id] of events) {
      time.now += 1000
      await audit.record({ action, actor: { id, organizationId }, subject })
    }
    const subjects = async (...args: Parameters<AuditLog['list']>) =>
      (await audit.list(...args)).items.map(({ subject }) => subject)
    return { audit, subjects, storage }
  }
  const at = (seconds: number) => new Date(START + seconds * 1000).toISOString()

  test.each([
    [{}, 'dcba'],
    [{ action: 'same' }, 'dca'],
    [{ actor: 'user_1' }, 'da'],
    [{ subject: 'b' }, 'b'],
    [{ organizationId: 'org_a' }, 'ba'],
    [{ from: at(2) }, 'dcb'],
    [{ to: at(2) }, 'a'],
    [{ from: at(2), to: at(4), action: 'same' }, 'c'],
    [{ from: '2030-01-01T02:00:02+02:00', to: at(3) }, 'b'],
    [{ action: 'none' }, ''],
  ])('lists newest first, by %j', async (query, expected) => {
    const { subjects } = await someEvents()
    expect((await subjects(query)).join('')).toBe(expected)
  })

  test('in pages', async () => {
    const { audit, subjects } = await someEvents()
    const { nextCursor } = await audit.list({}, { limit: 3 })
    expect(await subjects({}, { limit: 3, cursor: nextCursor ?? '' })).toEqual(['a'])
    await expectInvalid(audit.list({}, { limit: 1000 }), 'limit')
  })

  test.each(['from', 'to'])('%s must be a moment', async (name) => {
    const { audit } = openLog()
    for (const text of ['yesterday', '2030-01-01', '1893456000000', '2030-02-30T00:00:00Z', '']) {
      await expectInvalid(audit.list({ [name]: text }), name)
    }
  })

  const ofA = actorWith(['*'], { organizationId: 'org_a', userId: 'user_2' })
  const loner = actorWith(['machine_auth.audit.view'], { userId: 'user_1' })

  test.each([
    ['platform reach sees all', actorWith(['*']), {}, 'dcba'],
    ['an organization its own', ofA, {}, 'ba'],
    ['an organization its own, by name', ofA, { organizationId: 'org_a' }, 'ba'],
    ['an organization its own, by who did it', ofA, { actor: 'user_1' }, 'a'],
    ['an organization nothing of another by its subject', ofA, { subject: 'c' }, ''],
    ['who has neither what he did', loner, {}, 'da'],
    ['who has neither what he did, by name', loner, { actor: 'user_1', action: 'same' }, 'da'],
    ['a key without an owner what it did', actorWith([]), {}, ''],
  ])('%s', async (_, who, query, expected) => {
    const { subjects } = await someEvents()
    expect((await subjects(query, {}, who)).join('')).toBe(expected)
  })

  test.each([
    ['another organization', ofA, { organizationId: 'org_b' }, 'org_b'],
    ['an organization, for who has none', loner, { organizationId: 'org_a' }, 'org_a'],
    ['another’s acts, for who has no organization', loner, { actor: 'user_2' }, 'user_2'],
  ])('%s is not found, and the attempt is written', async (_, who, query, subject) => {
    const { audit, storage } = await someEvents()
    await expectRefused(audit.list(query, {}, who), 'not_found')
    const attempt = [...storage.rows.audit.values()].find(({ action }) => action === 'cross_tenant_attempt')
    expect(attempt).toMatchObject({ actor: who.id, subject, organizationId: who.organizationId })
  })

  test.each([
    ['an organization', ofA],
    ['who has no organization', loner],
  ])('%s cannot verify', async (_, who) => {
    const { audit } = openLog()
    await expectRefused(audit.verify({}, who), 'permission_required')
  })

  test.each([-1, 0.5, Number.NaN])('a log reaches no %d', async (atLeast) => {
    await expectInvalid(openLog().audit.verify({ atLeast }), 'atLeast')
  })
})
