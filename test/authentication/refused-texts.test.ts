/** A flood of one credential, right or wrong, is one question to storage. */
import { describe, expect, spyOn, test } from 'bun:test'
import { RefusedTexts } from '../../src/authentication/refused-texts.ts'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { generateBearerToken, generateSessionText } from '../../src/credentials/secret-text.ts'
import { withBearer, withKey } from '../support/test-app.ts'
import { createApp, KINDS, type OutageApp } from './support.ts'

const MANY = 1000
const INVALID = { kind: 'refused', code: 'api_key_invalid' } as const

/** Every verb that looks a credential up. */
function countReads({ memory }: OutageApp) {
  const spies = [
    spyOn(memory.keys, 'findWithOwner'),
    spyOn(memory.bearerTokens, 'findWithOwner'),
    spyOn(memory.sessions, 'findByHash'),
    spyOn(memory.refreshFamilies, 'find'),
    spyOn(memory.keys, 'findByLookup'),
  ]
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
}

async function saidToMany(t: OutageApp, path: string, headers: Readonly<Record<string, string>> | Headers) {
  const all = await Promise.all(Array.from({ length: MANY }, () => t.ask(path, { headers })))
  return [...new Set(all.map(({ said }) => said))]
}

describe('a thousand requests at once over a guarded route', () => {
  test.each(KINDS.map((kind) => [kind.name, kind] as const))(
    'of %s that is not known yet are one look-up',
    async (_, kind) => {
      await using t = await createApp({ apiKeys: { defaultRateLimit: false }, ...kind.options })
      const { path, headers } = await kind.make(t)
      const reads = countReads(t)
      expect(await saidToMany(t, path, headers)).toEqual(['200'])
      expect(reads()).toBe(1)
    },
  )

  test.each<[what: string, path: string, headers: () => Record<string, string> | Headers, said: string]>([
    ['a key', '/key', () => withKey(generateApiKey('mac', 'live').raw), '401 api_key_invalid'],
    ['a token', '/token', () => withBearer(generateBearerToken().raw), '401 token_invalid'],
    ['a session', '/session', () => ({ cookie: `session_id=${generateSessionText().raw}` }), '401 session_invalid'],
  ])(
    'of %s that nobody knows are one, those of the second after them none, and then one again',
    async (_, path, headersOf, said) => {
      // Many wrong ones from one address would block it.
      await using t = await createApp({ abuse: false })
      const headers = headersOf()
      const reads = countReads(t)
      expect(await saidToMany(t, path, headers)).toEqual([said])
      t.pass(999)
      expect((await t.ask(path, { headers })).said).toBe(said)
      expect(reads()).toBe(1)
      t.pass(1)
      expect((await t.ask(path, { headers })).said).toBe(said)
      expect(reads()).toBe(2)
    },
  )
})

describe('what is not remembered', () => {
  test('that a text is wrong, once anything was changed', async () => {
    await using t = await createApp({ abuse: false })
    const headers = withKey(generateApiKey('mac', 'live').raw)
    const reads = countReads(t)
    await t.ask('/key', { headers })
    await t.core.users.disable(t.bob.id)
    await t.ask('/key', { headers })
    expect(reads()).toBe(2)
  })

  test('that a key is switched off: it works at once when it is on again', async () => {
    await using t = await createApp({ abuse: false })
    const { key, rawKey } = await t.core.keys.create({ name: 'a key' })
    const said = async () => (await t.ask('/key', { headers: withKey(rawKey) })).said
    await t.core.keys.update(key.id, { enabled: false })
    expect(await said()).toBe('401 api_key_disabled')
    await t.memory.keys.update(key.id, { enabled: true }, 0)
    expect(await said()).toBe('200')
  })

  test('that storage did not answer', async () => {
    await using t = await createApp({ abuse: false })
    const { rawKey } = await t.core.keys.create({ name: 'a key' })
    const said = async () => (await t.ask('/key', { headers: withKey(rawKey) })).said
    t.outage.isAway = true
    expect(await said()).toBe('503 storage_unavailable')
    t.outage.isAway = false
    expect(await said()).toBe('200')
  })
})

describe('the memory of wrong texts', () => {
  test.each<[what: string, now: number, generation: number, text: string, isRecalled: boolean]>([
    ['it', 5999, 1, 'wrong', true],
    ['it after a second', 6000, 1, 'wrong', false],
    ['it before it was', 4999, 1, 'wrong', false],
    ['it after a change', 5000, 2, 'wrong', false],
    ['another', 5000, 1, 'other', false],
  ])('recalls %s or not', (_, now, generation, text, isRecalled) => {
    const refused = new RefusedTexts()
    refused.note('wrong', INVALID, 5000, 1)
    expect(refused.recall(text, now, generation)).toBe(isRecalled ? INVALID : undefined)
  })

  test('holds a thousand, and drops the one refused longest ago', () => {
    const refused = new RefusedTexts()
    for (let count = 0; count < MANY; count += 1) refused.note(`wrong ${count}`, INVALID, 0, 0)
    refused.note('wrong 0', INVALID, 0, 0)
    refused.note('one more', INVALID, 0, 0)
    const isKnown = (text: string) => refused.recall(text, 0, 0) !== undefined
    expect(['wrong 0', 'wrong 1', 'wrong 2', 'one more'].map(isKnown)).toEqual([true, false, true, true])
  })
})
