import { describe, expect, test } from 'bun:test'
import { BlockService } from '../../src/blocks/service.ts'
import { createAddressMatcher } from '../../src/lib/ip.ts'
import { BlockIndex } from '../../src/limits/block-index.ts'
import { AuditLog } from '../../src/recording/audit.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith } from '../support/services.ts'

const START = Date.UTC(2030, 0, 1)
const HOUR = 3_600_000

function setUp() {
  const time = { now: START }
  const clock = () => time.now
  const storage = createMemoryStorage(clock)
  const forgotten: string[] = []
  const warnings: string[] = []
  const create = (store = storage.blocks) => {
    const index = new BlockIndex(createAddressMatcher(['192.0.2.0/24']))
    const blocks = new BlockService({
      store,
      index,
      clock,
      audit: new AuditLog({ store: storage.audit, clock }),
      forget: (subject) => forgotten.push(subject),
      warn: (message) => warnings.push(message),
    })
    const isBlocked = (address: string, url = 'http://x/', route: string | null = null) =>
      index.findForAddress(address, { url, route }, time.now) !== null
    return { index, blocks, isBlocked }
  }
  const actions = () => [...storage.rows.audit.values()].map(({ action }) => action)
  return { time, storage, forgotten, warnings, create, actions, ...create() }
}

const AUTOMATIC = {
  kind: 'abuse',
  subject: 'ip:203.0.113.5',
  scope: 'global',
  path: '',
  reason: null,
  expiresAt: START + HOUR,
} as const

describe('blocks', () => {
  test('are in force at once, listed, audited, and end by themselves', async () => {
    const t = setUp()
    const block = await t.blocks.add({ subject: '203.0.113.5', duration: '1h', reason: 'scraping' })
    expect(block).toEqual({
      id: expect.stringMatching(/^blk_[A-Za-z0-9]{16}$/),
      subject: '203.0.113.5',
      kind: 'manual',
      scope: 'global',
      path: null,
      reason: 'scraping',
      createdBy: 'system',
      createdAt: '2030-01-01T00:00:00.000Z',
      expiresAt: '2030-01-01T01:00:00.000Z',
    })
    expect([t.isBlocked('203.0.113.5'), t.isBlocked('203.0.113.6')]).toEqual([true, false])
    expect((await t.blocks.list()).items).toEqual([block])
    expect(await t.blocks.find(block.id)).toEqual(block)
    expect(t.actions()).toEqual(['block.created'])
    t.time.now += HOUR
    expect(t.isBlocked('203.0.113.5')).toBe(false)
    expect((await t.blocks.list()).items).toEqual([])
    await expectRefused(t.blocks.find(block.id), 'not_found')
  })

  test.each([
    ['2001:db8::1', '2001:db8::ffff', true],
    ['2001:db8::1', '2001:db8:0:1::1', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['::ffff:203.0.113.5', '203.0.113.5', true],
    ['203.0.113.5/32', '203.0.113.5', true],
    ['user:203.0.113.5', '203.0.113.5', false],
    // The operator's own: no range that holds it blocks it.
    ['192.0.0.0/16', '192.0.2.1', false],
    ['192.0.0.0/16', '192.0.3.1', true],
  ])('of %s keep %s out: %p', async (subject, address, expected) => {
    const t = setUp()
    await t.blocks.add({ subject, duration: 60 })
    expect(t.isBlocked(address)).toBe(expected)
  })

  test.each([
    ['/withdraw', 'http://x/withdraw', null, true],
    ['/withdraw', 'http://x/WITHDRAW/', null, true],
    ['/withdraw', 'http://x/withdraw/now', null, true],
    ['/withdraw', 'http://x/withdrawn', null, false],
    ['/posts/:id', 'http://x/posts/7', null, true],
    ['/posts/:id', 'http://x/', '/posts/:id', true],
    ['/', 'http://x/', null, true],
    ['/', 'http://x/other', null, false],
  ])('of the path %s hold at %s by the route %p: %p', async (path, url, route, expected) => {
    const t = setUp()
    await t.blocks.add({ subject: '203.0.113.5', duration: 60, scope: 'path', path })
    expect(t.isBlocked('203.0.113.5', url, route)).toBe(expected)
  })

  test.each([
    [{ subject: 'nobody', duration: '1h' }, 'subject'],
    [{ subject: '', duration: '1h' }, 'subject'],
    [{ subject: '203.0.113.005', duration: '1h' }, 'subject'],
    [{ subject: '192.0.2.7', duration: '1h' }, 'subject'],
    [{ subject: '203.0.113.5', duration: 'soon' }, 'duration'],
    [{ subject: '203.0.113.5', duration: '25:99' }, 'duration'],
    [{ subject: '203.0.113.5', duration: '0s' }, 'duration'],
    [{ subject: '203.0.113.5', duration: '1h', scope: 'path' }, 'path'],
    [{ subject: '203.0.113.5', duration: '1h', scope: 'path', path: 'withdraw' }, 'path'],
    [{ subject: '203.0.113.5', duration: '1h', path: '/withdraw' }, 'path'],
    [{ subject: '203.0.113.5', duration: '1h', reason: 'a\u0000' }, 'reason'],
  ] as const)('%p is refused', async (input, path) => {
    const t = setUp()
    await expectInvalid(t.blocks.add(input), path)
    expect(t.index.size).toBe(0)
  })

  test('need platform reach', async () => {
    const t = setUp()
    const { id } = await t.blocks.add({ subject: '203.0.113.5', duration: '1h' })
    for (const actor of [
      actorWith(['*'], { organizationId: 'org_1' }),
      actorWith(['machine_auth.*']),
      actorWith([], { userId: 'user_1' }),
    ]) {
      await expectRefused(t.blocks.add({ subject: '203.0.113.6', duration: '1h' }, actor), 'permission_required')
      await expectRefused(t.blocks.list({}, actor), 'permission_required')
      await expectRefused(t.blocks.remove(id, actor), 'permission_required')
    }
    expect(t.index.size).toBe(1)
  })

  test('that are removed let their subject start anew, once', async () => {
    const t = setUp()
    const { id } = await t.blocks.add({ subject: '203.0.113.5', duration: '1h' })
    await t.blocks.remove(id)
    expect([t.isBlocked('203.0.113.5'), t.forgotten]).toEqual([false, ['ip:203.0.113.5']])
    await expectRefused(t.blocks.remove(id), 'not_found')
    expect(t.actions()).toEqual(['block.created', 'block.removed'])
  })

  test('of the same subject and place are one, with the later end', async () => {
    const t = setUp()
    const first = await t.blocks.add({ subject: '203.0.113.5', duration: '2h' })
    const second = await t.blocks.add({ subject: '203.0.113.5', duration: '1h' })
    expect([second.id, second.expiresAt]).toEqual([first.id, first.expiresAt])
    expect(t.index.size).toBe(1)
    await t.blocks.remove(first.id)
    expect(t.isBlocked('203.0.113.5')).toBe(false)
  })
})

describe('automatic blocks', () => {
  test('are in force before they are stored, and stored behind the answer', async () => {
    const t = setUp()
    t.blocks.start(AUTOMATIC)
    expect([t.isBlocked('203.0.113.5'), t.storage.rows.audit.size]).toEqual([true, 0])
    await t.blocks.settle()
    expect((await t.blocks.list()).items).toMatchObject([{ kind: 'abuse', createdBy: 'system' }])
    expect(t.actions()).toEqual(['block.created'])
  })

  test('that cannot be stored hold in this process, and somebody is told', async () => {
    const t = setUp()
    const { blocks, isBlocked } = t.create({
      ...t.storage.blocks,
      put: () => Promise.reject(new Error('away')),
    })
    blocks.start(AUTOMATIC)
    await blocks.settle()
    expect(isBlocked('203.0.113.5')).toBe(true)
    expect(t.warnings).toEqual([expect.stringContaining('could not be stored')])
  })
})

test('a block that could not be stored is freed with the one that was made when storage was back', async () => {
  const t = setUp()
  let isAway = true
  const { blocks, isBlocked, index } = t.create({
    ...t.storage.blocks,
    put: (block) => (isAway ? Promise.reject(new Error('away')) : t.storage.blocks.put(block)),
  })
  for (const subject of ['203.0.113.5', '10.0.0.0/8']) {
    isAway = true
    await expect(blocks.add({ subject, duration: '1h' })).rejects.toThrow('away')
    isAway = false
    const { id } = await blocks.add({ subject, duration: '1h' })
    expect(index.size).toBe(1)
    await blocks.remove(id)
    expect([isBlocked('203.0.113.5'), isBlocked('10.1.2.3'), index.size]).toEqual([false, false, 0])
  }
})

describe('another process', () => {
  test('reads what is in force when it starts, and hears of what is made and removed', async () => {
    const t = setUp()
    const early = await t.blocks.add({ subject: '203.0.113.5', duration: '1h' })
    const other = t.create()
    await other.blocks.load()
    expect(other.isBlocked('203.0.113.5')).toBe(true)
    const late = await t.blocks.add({ subject: '203.0.113.6', duration: '1h' })
    await other.blocks.refresh(late.id)
    expect(other.isBlocked('203.0.113.6')).toBe(true)
    await t.blocks.remove(early.id)
    t.forgotten.length = 0
    await other.blocks.refresh(early.id)
    expect([other.isBlocked('203.0.113.5'), t.forgotten]).toEqual([false, ['ip:203.0.113.5']])
    await t.blocks.remove(late.id)
    await other.blocks.load()
    expect(other.index.size).toBe(0)
  })
})
