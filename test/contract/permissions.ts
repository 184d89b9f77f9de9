import { beforeEach, describe, expect, test } from 'bun:test'
import type { PermissionRecord } from '../../src/storage/records.ts'
import { NOW } from './fixtures.ts'
import { changesOf, fiftyTimes, type Open, type Opened } from './support.ts'

const aPermission = (name: string, given: Partial<PermissionRecord> = {}): PermissionRecord => ({
  name,
  module: name.split('.')[0] ?? null,
  label: `May ${name}`,
  createdAt: NOW,
  ...given,
})

export function describePermissionStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const permissions = () => opened.storage.permissions

    test('are listed by name, as they were put', async () => {
      expect(await permissions().list()).toEqual([])
      const [view, export_, free] = [
        aPermission('users.view'),
        aPermission('posts.export', { label: "Export — it's é🔑" }),
        aPermission('deploy', { module: null }),
      ]
      await permissions().sync([view, export_, free], [])
      expect(await permissions().list()).toEqual([free, export_, view])
    })

    test('are relabelled and keep when they were made; others are left alone', async () => {
      const other = aPermission('posts.view')
      await permissions().sync([aPermission('users.view'), other], [])
      const changed = aPermission('users.view', { label: 'See users', module: null, createdAt: NOW + 5 })
      await permissions().sync([changed, aPermission('users.new', { createdAt: NOW + 5 })], [])
      expect(await permissions().list()).toEqual([
        other,
        aPermission('users.new', { createdAt: NOW + 5 }),
        { ...changed, createdAt: NOW },
      ])
    })

    test('are removed by exact name, known or not', async () => {
      const kept = [aPermission('users.export'), aPermission('users.view')]
      await permissions().sync([...kept, aPermission('users.old')], [])
      await permissions().sync([], ['users.old', 'users.*', '%', 'unknown'])
      expect(await permissions().list()).toEqual(kept)
      await permissions().sync([], [])
      expect(await permissions().list()).toEqual(kept)
    })

    test('are synchronized as a whole or not at all', async () => {
      const before = [aPermission('users.old'), aPermission('users.view')]
      await permissions().sync(before, [])
      // @ts-expect-error a label is not null, which no database stores
      const broken: PermissionRecord = { ...aPermission('zzz.broken'), label: null }
      const relabelled = aPermission('users.view', { label: 'See users' })
      const outcome = await permissions()
        .sync([relabelled, aPermission('users.new'), broken], ['users.old'])
        .then(
          () => 'done',
          () => 'failed',
        )
      expect(outcome).toBe('failed')
      expect(await permissions().list()).toEqual(before)
    })

    test('50 processes that start at once store each once', async () => {
      const names = ['a.view', 'b.view', 'c.view']
      const made = names.map((each) => aPermission(each))
      await fiftyTimes((index) => permissions().sync(index % 2 === 0 ? made : made.toReversed(), ['a.old']))
      expect(await permissions().list()).toEqual(made)
      // Of two versions one removes what the other puts.
      const [first = '', ...others] = names
      await fiftyTimes((index) =>
        index % 2 === 0
          ? permissions().sync(made.slice(0, 1), others)
          : permissions().sync(made.slice(1).toReversed(), [first]),
      )
      expect([1, 2]).toContain((await permissions().list()).length)
      expect(await changesOf(opened.storage)).toEqual([])
    })
  })
}
