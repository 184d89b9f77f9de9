import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createAddressMatcher } from '../../src/lib/ip.ts'
import { BlockIndex, type BlockPlace } from '../../src/limits/block-index.ts'
import { addressSubject, parseSubject } from '../../src/limits/subjects.ts'
import type { BlockRecord } from '../../src/storage/records.ts'

const NOW = Date.UTC(2030, 0, 1)
const HOUR = 3_600_000
const PLACE: BlockPlace = { url: 'http://localhost/some/path?q=1', route: null }
const ADDRESS = '203.0.113.5'

let made = 0
function aBlock(subject: string, more: Partial<BlockRecord> = {}): BlockRecord {
  const place = more.path === undefined ? { scope: 'global', path: '' } : { scope: 'path' }
  made += 1
  return {
    id: `blk_${made}`,
    kind: 'manual',
    subject,
    reason: null,
    createdBy: 'system',
    createdAt: NOW,
    expiresAt: NOW + HOUR,
    path: '',
    ...(place as Pick<BlockRecord, 'scope'>),
    ...more,
  }
}

function indexWith(blocks: readonly BlockRecord[], allow: readonly string[] = []): BlockIndex {
  const index = new BlockIndex(createAddressMatcher(allow))
  for (const block of blocks) index.put(block)
  return index
}

/** The index with one block of a subject as people write it. */
function indexOf(subject: string, more: Partial<BlockRecord> = {}, allow: readonly string[] = []): BlockIndex {
  return indexWith([aBlock(parseSubject(subject) ?? subject, more)], allow)
}

const isBlocked = (index: BlockIndex, address: string | null, place = PLACE) =>
  index.findForAddress(address, place, NOW) !== null

describe('an address', () => {
  test.each<{ blocked: string; inside: readonly (string | null)[]; outside: readonly (string | null)[] }>([
    {
      blocked: '203.0.113.5',
      inside: ['203.0.113.5', '::ffff:203.0.113.5'],
      outside: ['203.0.113.6', '203.0.113.50', null],
    },
    {
      blocked: '2001:db8::1',
      inside: ['2001:db8::1', '2001:db8::ffff:1'],
      outside: ['2001:db8:0:1::1', '203.0.113.5', null],
    },
    { blocked: '2001:db8:0:7::/64', inside: ['2001:db8:0:7::', '2001:db8:0:7:ffff::1'], outside: ['2001:db8:0:6::1'] },
    { blocked: '2001:db8::1/128', inside: ['2001:db8::1'], outside: ['2001:db8::2', null] },
    {
      blocked: '203.0.113.0/24',
      inside: ['203.0.113.0', '203.0.113.255', '::ffff:203.0.113.9'],
      outside: ['203.0.114.0', null],
    },
    { blocked: '203.0.113.9/24', inside: ['203.0.113.0'], outside: ['203.0.112.255'] },
    { blocked: '0.0.0.0/0', inside: ['1.2.3.4', '::ffff:1.2.3.4'], outside: ['2001:db8::1', null] },
    { blocked: '::/0', inside: ['2001:db8::1', '::1'], outside: ['1.2.3.4', '::ffff:1.2.3.4', null] },
    { blocked: '2001:db8::/32', inside: ['2001:db8:ffff::1'], outside: ['2001:db9::1'] },
    { blocked: 'unknown', inside: [null], outside: ['203.0.113.5', '::'] },
    { blocked: 'user:203.0.113.5', inside: [], outside: ['203.0.113.5'] },
  ])('of $blocked is blocked, and no other', ({ blocked, inside, outside }) => {
    const index = indexOf(blocked)
    expect(inside.filter((address) => !isBlocked(index, address))).toEqual([])
    expect(outside.filter((address) => isBlocked(index, address))).toEqual([])
  })

  test('on the allow-list is blocked by nothing', () => {
    const allow = ['203.0.113.5', '2001:db8::/48']
    const index = indexWith(
      ['203.0.113.5', '203.0.113.0/24', '2001:db8::1', '::/0'].map((each) => aBlock(parseSubject(each) ?? '')),
      allow,
    )
    for (const address of ['203.0.113.5', '::ffff:203.0.113.5', '2001:db8::1', '2001:db8:0:9::1']) {
      expect([address, index.exempts(address), isBlocked(index, address)]).toEqual([address, true, false])
    }
    for (const address of ['203.0.113.6', '2001:db8:1::1']) {
      expect([address, index.exempts(address), isBlocked(index, address)]).toEqual([address, false, true])
    }
    expect(index.exempts(null)).toBe(false)
  })

  test('is not looked for where none is blocked', () => {
    const index = indexWith([aBlock('apiKey:key_1'), aBlock('user:user_1', { path: '/a' })])
    expect([index.size, index.concernsAddresses]).toEqual([2, false])
    const ofAddresses = [aBlock('ip:unknown'), aBlock(`ip:${ADDRESS}`), aBlock('range:10.0.0.0/8')]
    for (const block of ofAddresses) {
      index.put(block)
      index.put({ ...block, expiresAt: NOW + 2 * HOUR })
      expect(index.concernsAddresses).toBe(true)
      index.remove(block.id)
      expect(index.concernsAddresses).toBe(false)
    }
  })
})

describe('a path', () => {
  const at = (path: string, route: string | null = null) => ({ url: `http://localhost${path}`, route })

  test.each<{ path: string; inside: readonly string[]; outside: readonly string[] }>([
    {
      path: '/withdraw',
      inside: [
        '/withdraw',
        '/withdraw/',
        '//withdraw',
        '/WithDraw',
        '/%77ithdraw',
        '/%2577ithdraw',
        '/x/../withdraw',
        '/./withdraw',
        '/withdraw/now',
        '/withdraw?a=/b',
        '/withdraw#x',
        '/\\withdraw',
      ],
      outside: ['/', '/withdrawals', '/with/draw', '/x/withdraw', '/?/withdraw', '/x?p=/withdraw'],
    },
    {
      path: '/posts/:id',
      inside: ['/posts/1', '/posts/1/likes', '/POSTS/a%2Fb', '/posts/%2e%2e', '/x/..//posts/1'],
      outside: ['/posts', '/posts/', '/post/1', '/xposts/1'],
    },
    { path: '/files/*', inside: ['/files', '/files/', '/files/a/b'], outside: ['/file', '/filesystem'] },
    { path: '/', inside: ['/', '//', '/?a=1', '/#x'], outside: ['/a', '/index.html'] },
  ])('$path in every spelling, and what lies below it', ({ path, inside, outside }) => {
    const index = indexOf(ADDRESS, { path })
    expect(inside.filter((each) => !isBlocked(index, ADDRESS, at(each)))).toEqual([])
    expect(outside.filter((each) => isBlocked(index, ADDRESS, at(each)))).toEqual([])
  })

  test('is also where a strange Host header has the router see it', () => {
    const index = indexOf(ADDRESS, { path: '/withdraw' })
    expect(isBlocked(index, ADDRESS, { url: '/aaaaaaaaaa/withdraw', route: null })).toBe(true)
  })

  test('is blocked by the route that was found, whatever the URL shows', () => {
    const index = indexOf(ADDRESS, { path: '/posts/:id' })
    expect(isBlocked(index, ADDRESS, at('/', '/posts/:id'))).toBe(true)
    expect(isBlocked(index, ADDRESS, at('/', '/posts/:id/likes'))).toBe(true)
    expect(isBlocked(index, ADDRESS, at('/', '/posts'))).toBe(false)
    expect(isBlocked(index, ADDRESS, at('/posts/1', '/*'))).toBe(true)
  })

  test('that only a router can read is blocked by its route', () => {
    const index = indexOf(ADDRESS, { path: '/a/:b?/c' })
    expect(isBlocked(index, ADDRESS, at('/a/1/c', '/a/:b?/c'))).toBe(true)
    expect(isBlocked(index, ADDRESS, at('/b', '/b'))).toBe(false)
  })

  test('of a subject is blocked for that subject only', () => {
    const index = indexOf('key_1', { path: '/withdraw' })
    expect(index.find('apiKey:key_1', at('/withdraw'), NOW)?.subject).toBe('apiKey:key_1')
    expect(index.find('apiKey:key_1', at('/other'), NOW)).toBeNull()
    expect(index.find('apiKey:key_2', at('/withdraw'), NOW)).toBeNull()
    expect(isBlocked(index, ADDRESS, at('/withdraw'))).toBe(false)
  })
})

describe('an end', () => {
  test('frees from its ms on', () => {
    const index = indexWith([aBlock(`ip:${ADDRESS}`), aBlock('apiKey:key_1')])
    const found = (now: number) => [
      index.findForAddress(ADDRESS, PLACE, now) !== null,
      index.find('apiKey:key_1', PLACE, now) !== null,
    ]
    expect(found(NOW + HOUR - 1)).toEqual([true, true])
    expect(found(NOW + HOUR)).toEqual([false, false])
  })

  test.each([
    ['global before path', [{ expiresAt: NOW + 2 }, { expiresAt: NOW + 1, path: '/some' }], 0],
    ['path before global', [{ expiresAt: NOW + 1 }, { expiresAt: NOW + 2, path: '/some' }], 1],
    ['not of another path', [{ expiresAt: NOW + 1 }, { expiresAt: NOW + 2, path: '/other' }], 0],
    ['not what has ended', [{ expiresAt: NOW }, { expiresAt: NOW + 1, path: '/some' }], 1],
    ['the first of equals', [{ expiresAt: NOW + 1 }, { expiresAt: NOW + 1, path: '/some' }], 0],
  ] as const)('the latest one stands: %s', (_, given, expected) => {
    const blocks = given.map((more) => aBlock(`ip:${ADDRESS}`, more))
    const found = indexWith(blocks).findForAddress(ADDRESS, PLACE, NOW)
    expect(found).toEqual(blocks[expected] ?? null)
  })

  test('the latest one stands among names and ranges', () => {
    const blocks = [`ip:${ADDRESS}`, 'range:203.0.113.0/24', 'range:203.0.0.0/16', 'range:10.0.0.0/8']
    for (const [late, latest] of blocks.slice(0, 3).entries()) {
      const index = indexWith(
        blocks.map((each, place) => aBlock(each, { expiresAt: NOW + (place === late ? 9 : place + 1) })),
      )
      expect(index.findForAddress(ADDRESS, PLACE, NOW)?.subject).toBe(latest)
    }
  })

  test('sweeping forgets what has ended, and only that', () => {
    const ended = ['ip:unknown', 'range:10.0.0.0/8', 'apiKey:key_1'].map((each) => aBlock(each, { expiresAt: NOW }))
    const standing = [aBlock(`ip:${ADDRESS}`, { expiresAt: NOW + 1 }), aBlock('apiKey:key_1', { path: '/some' })]
    const index = indexWith([...ended, ...standing])
    index.sweep(NOW)
    expect([...index.all()]).toEqual(standing)
    expect(index.find('apiKey:key_1', PLACE, NOW)).toEqual(standing[1] ?? null)
    index.sweep(NOW + HOUR)
    expect([index.size, index.concernsAddresses]).toEqual([0, false])
  })
})

describe('putting and removing', () => {
  test('the same id replaces, whatever changed', () => {
    const block = aBlock(`ip:${ADDRESS}`)
    const index = indexWith([block, { ...block, expiresAt: NOW + 2 * HOUR }, { ...block, subject: 'range:10.0.0.0/8' }])
    expect(index.size).toBe(1)
    expect([isBlocked(index, ADDRESS), isBlocked(index, '10.1.1.1')]).toEqual([false, true])
  })

  test.each([`ip:${ADDRESS}`, 'range:10.0.0.0/8', 'user:42'])(
    'one of the same place takes its place: %s',
    (subject) => {
      const blocks = [aBlock(subject), aBlock(subject, { path: '/a' }), aBlock(subject, { expiresAt: NOW + 1 })]
      const index = indexWith(blocks)
      expect([...index.all()]).toEqual(blocks.slice(1))
      expect(blocks.map((block) => index.outlasts(block))).toEqual([false, true, true])
      for (const { id } of blocks) index.remove(id)
      expect([index.size, index.concernsAddresses, index.outlasts(aBlock(subject))]).toEqual([0, false, false])
    },
  )

  test('answers what was removed, once', () => {
    const block = aBlock('range:10.0.0.0/8')
    const index = indexWith([block, aBlock('range:11.0.0.0/8')])
    expect(index.remove(block.id)).toEqual(block)
    expect(index.remove(block.id)).toBeNull()
    expect([isBlocked(index, '10.1.1.1'), isBlocked(index, '11.1.1.1')]).toEqual([false, true])
  })

  test('what was listed stays as it was', () => {
    const index = indexWith([aBlock('apiKey:key_1')])
    const listed = index.all()
    index.remove([...listed][0]?.id ?? '')
    expect([...listed]).toHaveLength(1)
  })

  test('names do not run into each other: a model finds the same', () => {
    const names = [
      '',
      'a',
      'A',
      'a\n',
      ' a',
      '__proto__',
      'constructor',
      'toString',
      'ip:unknown',
      `ip:${ADDRESS}`,
      'a/b',
    ]
    const subject = fc.constantFrom(...names.flatMap((name) => [`user:${name}`, `custom:${name}`]), 'ip:unknown')
    const step = fc.record({
      id: fc.constantFrom('1', '2', '3', '4', '__proto__'),
      subject,
      ends: fc.nat({ max: 3 }),
      path: fc.constantFrom(undefined, '/some', '/other'),
      isRemoval: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const index = indexWith([])
        const model = new Map<string, BlockRecord>()
        for (const { id, subject: of, ends, path, isRemoval } of steps) {
          const block = aBlock(of, { id, expiresAt: NOW + ends, ...(path === undefined ? {} : { path }) })
          if (isRemoval) index.remove(id)
          else index.put(block)
          if (isRemoval) model.delete(id)
          for (const each of isRemoval ? [] : [...model.values()]) {
            if (each.id === id || (each.subject === of && each.path === block.path)) model.delete(each.id)
          }
          if (!isRemoval) model.set(id, block)
        }
        expect(index.size).toBe(model.size)
        for (const asked of new Set(steps.map((each) => each.subject))) {
          const standing = [...model.values()].filter(
            (each) => each.subject === asked && each.expiresAt > NOW && each.path !== '/other',
          )
          const latest = standing.length === 0 ? null : Math.max(...standing.map(({ expiresAt }) => expiresAt))
          const found =
            asked === addressSubject(null) ? index.findForAddress(null, PLACE, NOW) : index.find(asked, PLACE, NOW)
          expect(found?.expiresAt ?? null).toBe(latest)
        }
      }),
    )
  })
})
