/** A block of the path `/` was in force for keys that another service asked about: its URL was taken for that path. */
import { expect, test } from 'bun:test'
import { addKey, createTestApp } from '../support/test-app.ts'

const place = { scope: 'path', path: '/' } as const

test('a block of a path is none for a key that was presented elsewhere, one of everything is', async () => {
  await using t = await createTestApp()
  const { id, rawKey } = await addKey(t)
  const verified = async () => (await t.core.keys.verify({ key: rawKey, ip: '203.0.113.5' })).code
  for (const subject of ['203.0.113.5', id]) {
    const { id: blockId } = await t.core.blocks.add({ subject, duration: '1h', ...place })
    expect(await verified()).toBe('valid')
    await t.core.blocks.remove(blockId)
    const { id: globalId } = await t.core.blocks.add({ subject, duration: '1h' })
    expect(await verified()).toBe('address_blocked')
    await t.core.blocks.remove(globalId)
  }
})
