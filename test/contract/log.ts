import { beforeEach, describe, expect, test } from 'bun:test'
import { aBlock, anEvent, NOW } from './fixtures.ts'
import { changesOf, codeOf, expectAtomic, fiftyTimes, type Open, type Opened } from './support.ts'

export function describeRoleStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const roles = () => opened.storage.roles

    test('puts, replaces and deletes, each with a change', async () => {
      const editor = { name: 'editor', permissions: ['posts.*'], inherits: ['user'] }
      const admin = { name: 'admin', permissions: ['*'], inherits: [] }
      await roles().put(editor, NOW)
      await roles().put(admin, NOW)
      await roles().put({ ...editor, inherits: [] }, NOW)
      expect(await roles().list()).toEqual([admin, { ...editor, inherits: [] }])
      expect(await roles().delete('editor', NOW)).toEqual({ ...editor, inherits: [] })
      expect(await roles().delete('editor', NOW)).toBeNull()
      expect(await roles().list()).toEqual([admin])
      expect(await changesOf(opened.storage)).toEqual(['role editor', 'role admin', 'role editor', 'role editor'])
    })

    test('50 puts of one role leave one', async () => {
      await fiftyTimes((index) => roles().put({ name: 'a', permissions: [`p${index}`], inherits: [] }, NOW))
      expect(await roles().list()).toHaveLength(1)
    })

    test.each([
      { name: 'itself', chain: [], inherits: ['a'] },
      { name: 'one that inherits from it', chain: [['b', 'a']], inherits: ['b'] },
      {
        name: 'one that does so through others, beside one that does not',
        chain: [
          ['b', 'a'],
          ['c', 'b'],
          ['d', 'e'],
        ],
        inherits: ['d', 'c'],
      },
    ])('a role that would inherit from $name is not written', async ({ chain, inherits }) => {
      const before = { name: 'a', permissions: ['x'], inherits: [] }
      await roles().put(before, NOW)
      for (const [child = '', parent = ''] of chain) {
        expect(await roles().put({ name: child, permissions: [], inherits: [parent] }, NOW)).toBeTrue()
      }
      const changes = await changesOf(opened.storage)
      expect(await roles().put({ ...before, inherits }, NOW)).toBeFalse()
      expect((await roles().list()).find((role) => role.name === 'a')).toEqual(before)
      expect(await changesOf(opened.storage)).toEqual(changes)
    })

    test('of two puts that would close a circle together one is refused, in each of 20 races', async () => {
      for (let race = 0; race < 20; race++) {
        const [a, b] = [`a${race}`, `b${race}`]
        for (const name of [a, b]) await roles().put({ name, permissions: [], inherits: [] }, NOW)
        const written = await Promise.all([
          roles().put({ name: a, permissions: [], inherits: [b] }, NOW),
          roles().put({ name: b, permissions: [], inherits: [a] }, NOW),
        ])
        expect(written.toSorted()).toEqual([false, true])
        const stored = (await roles().list()).filter(({ name }) => name === a || name === b)
        expect(stored.flatMap(({ inherits }) => inherits)).toHaveLength(1)
      }
    })

    test('a change of a role that cannot be recorded does not happen', async () => {
      const role = { name: 'a', permissions: ['x'], inherits: [] }
      await roles().put(role, NOW)
      await expectAtomic(opened, () => roles().put({ ...role, permissions: [] }, NOW))
      await expectAtomic(opened, () => roles().delete('a', NOW))
      expect(await roles().list()).toEqual([role])
    })
  })
}

export function describeChangeStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const changes = () => opened.storage.changes
    const record = (subject: string, at: number) =>
      opened.storage.roles.put({ name: subject, permissions: [], inherits: [] }, at)
    const subjects = async (sequence: number) => {
      const { changes: found, complete } = await changes().since(sequence)
      return [found.map(({ subject }) => subject), complete]
    }

    test('an empty log is at 0 and complete', async () => {
      expect(await changes().latest()).toBe(0)
      expect(await changes().since(0)).toEqual({ changes: [], complete: true })
    })

    test('answers what came after a number, in order, whatever its clock said', async () => {
      for (const [index, subject] of ['a', 'b', 'c'].entries()) await record(subject, NOW - index * 100)
      const latest = await changes().latest()
      const [first] = (await changes().since(0)).changes
      expect(first).toEqual({ sequence: latest - 2, at: NOW, kind: 'role', subject: 'a' })
      expect(await subjects(0)).toEqual([['a', 'b', 'c'], true])
      expect(await subjects(latest - 1)).toEqual([['c'], true])
      expect(await subjects(latest)).toEqual([[], true])
    })

    test('says when what a reader has not seen was pruned', async () => {
      for (const [index, subject] of ['a', 'b', 'c', 'd'].entries()) await record(subject, NOW + index)
      const latest = await changes().latest()
      await changes().prune(NOW + 3)
      expect(await changes().latest()).toBe(latest)
      expect((await subjects(0))[1]).toBeFalse()
      expect((await subjects(latest - 3))[1]).toBeFalse()
      expect(await subjects(latest - 2)).toEqual([['c', 'd'], true])
      expect(await subjects(latest)).toEqual([[], true])
    })

    test('a log pruned to its end still knows its numbers', async () => {
      for (const subject of ['a', 'b']) await record(subject, NOW)
      const latest = await changes().latest()
      await changes().prune(NOW + 1)
      expect(await changes().latest()).toBe(latest)
      expect((await subjects(0))[1]).toBeFalse()
      await record('c', NOW + 1)
      expect(await changes().latest()).toBe(latest + 1)
      expect(await subjects(latest)).toEqual([['c'], true])
    })

    test.each([
      { name: 'a clock that is ahead', ahead: 5, left: ['b', 'c', 'd', 'e'] },
      { name: 'a clock that is ahead by years', ahead: 1e11, left: ['d', 'e'] },
    ])('is pruned in order, without a hole, also beside $name', async ({ ahead, left }) => {
      for (const [index, subject] of ['a', 'b', 'c', 'd'].entries()) {
        await record(subject, subject === 'c' ? NOW + ahead : NOW + index)
      }
      await record('e', NOW + 10)
      const latest = await changes().latest()
      await changes().prune(NOW + 4)
      expect(await changesOf(opened.storage)).toEqual(left.map((subject) => `role ${subject}`))
      const [oldest = ''] = left
      const before = latest - 'edcba'.indexOf(oldest) - 1
      expect(await subjects(before)).toEqual([[...left], true])
      expect((await subjects(before - 1))[1]).toBeFalse()
    })

    test('a reader ahead of the log (a restored backup) is told to forget', async () => {
      await record('a', NOW)
      expect((await subjects((await changes().latest()) + 5))[1]).toBeFalse()
    })
  })
}

export function describeStorage(name: string, open: Open): void {
  describe(name, () => {
    test('answers a ping', async () => {
      const { storage } = await open()
      expect(await codeOf(storage.ping())).toBe('none')
    })

    test('a character or number that the database cannot store is refused or kept, never an unexpected error', async () => {
      const { storage } = await open()
      const attempts = [
        () => storage.keys.find('key_\0'),
        () => storage.keys.list({ q: '\0', organizationId: '\0' }, { limit: 1 }, NOW),
        () => storage.users.findByEmail('\0'),
        () => storage.blocks.put(aBlock({ subject: '\0' })),
        () => storage.quotas.claim({ subject: '\0', period: '2030-01', amount: 1, limit: 2 ** 53 }),
        () => storage.loginAddresses.remember('\0', '\ud800', NOW, 3),
        () => storage.loginAddresses.knows('\0', ''),
        () => storage.audit.append(anEvent({ details: { text: '\0' } })),
        () => storage.audit.append(anEvent({ subject: '\ud800' })),
      ]
      for (const attempt of attempts) expect(['none', 'validation_failed']).toContain(await codeOf(attempt()))
    })
  })
}
