import { describe, expect, test } from 'bun:test'
import type { Actor } from '../../src/authorization/actor.ts'
import type { NewBlock } from '../../src/blocks/new-block.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith } from '../support/services.ts'
import { ABUSE, ADDRESS, ALLOWED, HOUR, NOW, withBlocks } from './support.ts'

describe('adding', () => {
  test('blocks, stores, and writes down who did it', async () => {
    const { blocks, isBlocked, stored, audited } = withBlocks()
    const actor = actorWith(['platform.admin'], { userId: 'user_1' })
    const view = await blocks.add({ subject: `${ADDRESS}/32`, duration: '1 hour', reason: 'scraping' }, actor)
    expect(view).toEqual({
      id: expect.stringMatching(/^blk_[0-9A-Za-z]{16}$/),
      subject: ADDRESS,
      kind: 'manual',
      scope: 'global',
      path: null,
      reason: 'scraping',
      createdBy: 'user_1',
      createdAt: '2030-01-01T12:00:00.000Z',
      expiresAt: '2030-01-01T13:00:00.000Z',
    })
    expect(isBlocked()).toBe(true)
    expect(stored()).toEqual([
      {
        id: view.id,
        kind: 'manual',
        subject: `ip:${ADDRESS}`,
        scope: 'global',
        path: '',
        reason: 'scraping',
        createdBy: 'user_1',
        createdAt: NOW,
        expiresAt: NOW + HOUR,
      },
    ])
    const expiresAt = new Date(NOW + HOUR).toISOString()
    const details = { subject: ADDRESS, scope: 'global', path: null, reason: 'scraping', expiresAt }
    expect(audited()).toEqual([{ action: 'block.created', actor: 'user_1', subject: view.id, details }])
  })

  test.each<{ name: string; input: NewBlock; view: object; stored: object }>([
    {
      name: 'a /64',
      input: { subject: '2001:db9::1', duration: 60 },
      view: { subject: '2001:db9::/64', expiresAt: '2030-01-01T12:01:00.000Z' },
      stored: { subject: 'ip:2001:db9::/64' },
    },
    {
      name: 'a range',
      input: { subject: '10.1.2.3/8', duration: '2 days' },
      view: { subject: '10.0.0.0/8', expiresAt: '2030-01-03T12:00:00.000Z' },
      stored: { subject: 'range:10.0.0.0/8' },
    },
    {
      name: 'a key until a time of day',
      input: { subject: 'key_1', duration: '16:00' },
      view: { subject: 'key_1', expiresAt: '2030-01-01T16:00:00.000Z' },
      stored: { subject: 'apiKey:key_1' },
    },
    {
      name: "an app's user, until tomorrow",
      input: { subject: 'user:42', duration: '11 AM' },
      view: { subject: 'user:42', expiresAt: '2030-01-02T11:00:00.000Z' },
      stored: { subject: 'user:42' },
    },
    {
      name: 'a path',
      input: { subject: 'org_1', duration: '1h', scope: 'path', path: '/posts/:id' },
      view: { scope: 'path', path: '/posts/:id' },
      stored: { scope: 'path', path: '/posts/:id' },
    },
    {
      name: 'no reason',
      input: { subject: 'org_1', duration: '1h', reason: null },
      view: { reason: null },
      stored: { reason: null },
    },
  ])('takes $name', async ({ input, view, stored }) => {
    const t = withBlocks()
    expect(await t.blocks.add(input)).toMatchObject({ createdBy: 'system', ...view })
    expect(t.stored()).toMatchObject([stored])
  })

  const given = { subject: ADDRESS, duration: '1h' }
  test.each<{ name: string; input: unknown; paths: readonly string[] }>([
    { name: 'nothing', input: {}, paths: ['subject', 'duration'] },
    { name: 'a subject of no kind', input: { ...given, subject: 'somebody' }, paths: ['subject'] },
    { name: 'a subject that is no text', input: { ...given, subject: 5 }, paths: ['subject'] },
    { name: 'an address of the allow-list', input: { ...given, subject: ALLOWED }, paths: ['subject'] },
    { name: 'the same in other words', input: { ...given, subject: `::ffff:${ALLOWED}` }, paths: ['subject'] },
    { name: 'IPv6 of the allow-list', input: { ...given, subject: '2001:db8:0:9::1' }, paths: ['subject'] },
    { name: 'no duration', input: { ...given, duration: '0s' }, paths: ['duration'] },
    { name: 'a duration of no length', input: { ...given, duration: 'soon' }, paths: ['duration'] },
    { name: 'a time that is none', input: { ...given, duration: '25:99' }, paths: ['duration'] },
    { name: 'an unknown scope', input: { ...given, scope: 'route' }, paths: ['scope'] },
    { name: 'a path without scope', input: { ...given, path: '/a' }, paths: ['path'] },
    { name: 'a path with scope global', input: { ...given, scope: 'global', path: '/a' }, paths: ['path'] },
    { name: 'scope path without a path', input: { ...given, scope: 'path' }, paths: ['path'] },
    { name: 'a path without a slash', input: { ...given, scope: 'path', path: 'a' }, paths: ['path'] },
    { name: 'a path with a query', input: { ...given, scope: 'path', path: '/a?b=c' }, paths: ['path'] },
    { name: 'a path that climbs', input: { ...given, scope: 'path', path: '/a/../b' }, paths: ['path'] },
    { name: 'an endless path', input: { ...given, scope: 'path', path: `/${'a'.repeat(1024)}` }, paths: ['path'] },
    { name: 'a reason with a line of its own', input: { ...given, reason: 'a\u0000b' }, paths: ['reason'] },
    { name: 'an endless reason', input: { ...given, reason: 'x'.repeat(501) }, paths: ['reason'] },
    { name: 'a reason that is no text', input: { ...given, reason: 5 }, paths: ['reason'] },
    {
      name: 'everything',
      input: { subject: '', duration: '', scope: '', path: '', reason: 5 },
      paths: ['subject', 'duration', 'scope', 'path', 'reason'],
    },
  ])('refuses $name, and does nothing', async ({ input, paths }) => {
    const { blocks, index, storage } = withBlocks()
    await expectInvalid(blocks.add(input as NewBlock), ...paths)
    expect([index.size, storage.calls]).toEqual([0, []])
  })

  test('is in force before storage has answered', async () => {
    const { blocks, isBlocked, storage } = withBlocks()
    const seen: boolean[] = []
    storage.before.set('blocks.put', () => void seen.push(isBlocked()))
    await blocks.add(given)
    expect(seen).toEqual([true])
  })

  test('that storage refuses is an error, and in force all the same', async () => {
    const { blocks, fail, isBlocked, audited } = withBlocks()
    fail('blocks.put')
    await expect(blocks.add(given)).rejects.toThrow('disk full')
    expect([isBlocked(), audited()]).toEqual([true, []])
  })

  test('prolongs one that is in force, and never shortens it', async () => {
    const { blocks, index, stored, time } = withBlocks()
    const first = await blocks.add({ ...given, reason: 'first' })
    time.now += HOUR / 2
    const longer = await blocks.add({ ...given, duration: '2h', reason: 'second' })
    expect(longer).toEqual({ ...first, reason: 'second', expiresAt: '2030-01-01T14:30:00.000Z' })
    const shorter = await blocks.add({ ...given, duration: '1m', reason: 'third' })
    expect(shorter).toEqual(longer)
    expect([...index.all()]).toEqual(stored())
    expect(stored()).toHaveLength(1)
  })

  test('on another path, or after its end, makes another one', async () => {
    const { blocks, stored, time } = withBlocks()
    const first = await blocks.add(given)
    const onPath = await blocks.add({ ...given, scope: 'path', path: '/a' })
    expect(new Set([first.id, onPath.id]).size).toBe(2)
    time.now += HOUR
    const again = await blocks.add(given)
    expect(again.id).not.toBe(first.id)
    expect(stored().map(({ id }) => id)).toEqual([onPath.id, again.id])
  })
})

describe('reach', () => {
  const ACTORS: readonly (readonly [name: string, actor: Actor, mayReach: boolean])[] = [
    ['platform.admin', actorWith(['platform.admin']), true],
    ['*', actorWith(['*']), true],
    ['* of an organization', actorWith(['*'], { organizationId: 'org_1' }), false],
    ['platform.admin of an organization', actorWith(['platform.admin'], { organizationId: 'org_1' }), false],
    ['machine_auth.*', actorWith(['machine_auth.*']), false],
    ['a user', actorWith([], { userId: 'user_1' }), false],
  ]
  const VERBS: Readonly<
    Record<string, (t: ReturnType<typeof withBlocks>, id: string, actor: Actor) => Promise<unknown>>
  > = {
    add: ({ blocks }, _, actor) => blocks.add({ subject: '10.0.0.1', duration: '1h' }, actor),
    list: ({ blocks }, _, actor) => blocks.list({}, actor),
    find: ({ blocks }, id, actor) => blocks.find(id, actor),
    remove: ({ blocks }, id, actor) => blocks.remove(id, actor),
  }

  describe.each(ACTORS)('%s', (_, actor, mayReach) => {
    test.each(Object.entries(VERBS))(`${mayReach ? 'may' : 'may not'} %s`, async (_, act) => {
      const t = withBlocks()
      const { id } = await t.blocks.add({ subject: ADDRESS, duration: '1h' })
      const before = JSON.stringify([t.stored(), t.audited()])
      if (mayReach) {
        await act(t, id, actor)
        return
      }
      const error = await expectRefused(act(t, id, actor), 'permission_required')
      expect(error.extras.required).toEqual(['platform.admin'])
      expect(JSON.stringify([t.stored(), t.audited()])).toBe(before)
      expect([t.isBlocked(), t.isBlocked('10.0.0.1')]).toEqual([true, false])
    })
  })
})

describe('listing and finding', () => {
  test('shows what is in force, newest first, in pages', async () => {
    const { blocks, time } = withBlocks()
    const ids: string[] = []
    for (const [place, duration] of ['3h', '1s', '2h', '4h'].entries()) {
      ids.push((await blocks.add({ subject: `10.0.0.${place}`, duration })).id)
      time.now += 1000
    }
    const first = await blocks.list({ limit: 2 })
    const second = await blocks.list({ limit: 2, cursor: first.nextCursor ?? '' })
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual([ids[3], ids[2], ids[0]] as string[])
    expect(second.nextCursor).toBeNull()
    await expectInvalid(blocks.list({ limit: 0 }), 'limit')
  })

  test('finds one in force by its id', async () => {
    const { blocks, time } = withBlocks()
    const block = await blocks.add({ subject: ADDRESS, duration: '1h' })
    expect(await blocks.find(block.id)).toEqual(block)
    await expectRefused(blocks.find('blk_none'), 'not_found')
    time.now += HOUR
    await expectRefused(blocks.find(block.id), 'not_found')
  })
})

describe('removing', () => {
  test('frees, has the limits forget, and writes down who did it', async () => {
    const { blocks, isBlocked, stored, forgotten, audited } = withBlocks()
    const block = await blocks.add({ subject: ADDRESS, duration: '1h' })
    await blocks.add({ subject: '10.0.0.1', duration: '1h' })
    expect(await blocks.remove(block.id, actorWith(['*'], { userId: 'user_1' }))).toEqual(block)
    expect([isBlocked(), isBlocked('10.0.0.1'), stored().length]).toEqual([false, true, 1])
    expect(forgotten).toEqual([`ip:${ADDRESS}`])
    const details = { subject: ADDRESS }
    expect(audited().at(-1)).toEqual({ action: 'block.removed', actor: 'user_1', subject: block.id, details })
  })

  test('what is not there is not found, and nothing is written', async () => {
    const { blocks, audited, forgotten } = withBlocks()
    await expectRefused(blocks.remove('blk_none'), 'not_found')
    const { id } = await blocks.add({ subject: ADDRESS, duration: '1h' })
    await blocks.remove(id)
    await expectRefused(blocks.remove(id), 'not_found')
    expect([audited().length, forgotten.length]).toEqual([2, 1])
  })

  test('one of racing callers does it', async () => {
    const { blocks, audited } = withBlocks()
    const { id } = await blocks.add({ subject: ADDRESS, duration: '1h' })
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => blocks.remove(id)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(audited().filter(({ action }) => action === 'block.removed')).toHaveLength(1)
  })

  test('one that storage has refused to keep', async () => {
    const { blocks, fail, index, isBlocked, forgotten } = withBlocks()
    fail('blocks.put')
    blocks.start(ABUSE)
    await blocks.settle()
    const [block] = [...index.all()]
    await blocks.remove(block?.id ?? '')
    expect([isBlocked(), forgotten]).toEqual([false, [`ip:${ADDRESS}`]])
  })

  test.each([
    { subject: ADDRESS, duration: '1h' },
    { subject: ADDRESS, duration: '2h' },
    { subject: '203.0.113.0/24', duration: '1h' },
  ])('one that was made again when storage was back: $subject for $duration', async ({ subject, duration }) => {
    const { blocks, fail, index, isBlocked } = withBlocks()
    fail('blocks.put')
    await expect(blocks.add({ subject, duration: '1h' })).rejects.toThrow('disk full')
    const { id } = await blocks.add({ subject, duration })
    expect([index.size, isBlocked()]).toEqual([1, true])
    await blocks.remove(id)
    expect([index.size, isBlocked()]).toEqual([0, false])
  })

  test('one that is only just being stored leaves nothing behind', async () => {
    const { blocks, index, storage, stored, isBlocked } = withBlocks()
    const gate = Promise.withResolvers<void>()
    storage.before.set('blocks.put', () => gate.promise)
    blocks.start(ABUSE)
    const [block] = [...index.all()]
    const removed = blocks.remove(block?.id ?? '')
    for (let turn = 0; turn < 50; turn++) await null
    gate.resolve()
    await removed
    await blocks.settle()
    expect([isBlocked(), stored()]).toEqual([false, []])
  })

  test.each(['manual', 'abuse'])('by another process is seen when blocks are read again: %s', async (kind) => {
    const { blocks, storage, index, isBlocked, forgotten } = withBlocks()
    if (kind === 'manual') await blocks.add({ subject: ADDRESS, duration: '1h' })
    else blocks.start(ABUSE)
    await blocks.settle()
    const [block] = [...index.all()]
    await storage.blocks.delete(block?.id ?? '')
    expect(isBlocked()).toBe(true)
    await blocks.load()
    expect([isBlocked(), forgotten]).toEqual([false, [`ip:${ADDRESS}`]])
  })

  test('that storage refuses leaves it in force', async () => {
    const { blocks, fail, isBlocked, forgotten } = withBlocks()
    const { id } = await blocks.add({ subject: ADDRESS, duration: '1h' })
    fail('blocks.delete')
    await expect(blocks.remove(id)).rejects.toThrow('disk full')
    expect([isBlocked(), forgotten]).toEqual([true, []])
  })
})
