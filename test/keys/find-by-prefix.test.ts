/** Finding keys by the beginning of what is shown of them. */
import { expect, test } from 'bun:test'
import { actorWith, createServices } from '../support/services.ts'

async function withKeys() {
  const services = createServices()
  const { id: acme } = await services.organizations.create({ name: 'Acme' })
  const { key } = await services.keys.create({ name: 'k', organizationId: acme })
  const { rows } = services.memory
  const stored = rows.keys.get(key.id)
  if (stored === undefined) throw new Error('not stored')
  rows.keys.clear()
  const add = (end: string, organizationId: string | null = acme) => {
    const id = `key_${end}`
    rows.keys.set(id, { ...stored, id, prefix: `mac_live_${end}`, organizationId })
  }
  for (const end of ['abcd000000000001', 'abce000000000002', 'ABCD000000000003']) add(end)
  add('abcf000000000004', null)
  const find = async (...asked: Parameters<typeof services.keys.findByPrefix>) =>
    (await services.keys.findByPrefix(...asked)).map(({ id }) => id.slice(4, 8))
  return { services, acme, add, find }
}

test.each<[string, readonly string[]]>([
  ['mac_live_abcd000000000001', ['abcd']],
  ['mac_live_abcd', ['abcd']],
  ['key_abcd', ['abcd']],
  ['abcd', ['abcd']],
  ['abc', ['abcd', 'abce', 'abcf']],
  ['ABC', ['ABCD']],
  ['abcd000000000001x', []],
  ['bcd', []],
  ['%', []],
  ['*', []],
  ['', []],
  ['mac_live_', []],
  ['key_', []],
  ['x'.repeat(300), []],
])('%p finds %j', async (text, expected) => {
  const { find } = await withKeys()
  expect(await find(text)).toEqual([...expected])
})

test('within reach only', async () => {
  const { find, acme } = await withKeys()
  expect(await find('abc', actorWith(['*'], { organizationId: acme }))).toEqual(['abcd', 'abce'])
  expect(await find('abc', actorWith(['*'], { organizationId: 'org_other' }))).toEqual([])
  expect(await find('abc', actorWith(['users.*'], { userId: 'user_x' }))).toEqual([])
})

test('at most ten, as they are shown elsewhere', async () => {
  const { services, find, add } = await withKeys()
  for (let count = 0; count < 12; count += 1) add(`many${String(count).padStart(12, '0')}`)
  expect(await find('many')).toHaveLength(10)
  const [view] = await services.keys.findByPrefix('abcd')
  expect(view).toEqual(await services.keys.find('key_abcd000000000001'))
  expect(JSON.stringify(view)).not.toContain('hash')
})
