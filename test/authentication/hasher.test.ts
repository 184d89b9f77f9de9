import { describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createSecretHasher, type PepperedHash } from '../../src/authentication/hasher.ts'
import { derive } from '../../src/lib/crypto.ts'
import { measureWork } from '../support/work.ts'

const [NEWEST, FORMER, LOST] = ['n'.repeat(32), 'f'.repeat(32), 'l'.repeat(32)]
const PURPOSE = 'api-key-pepper'
const hasher = createSecretHasher([NEWEST, FORMER], PURPOSE)
const former = createSecretHasher([FORMER], PURPOSE)
const lost = createSecretHasher([LOST], PURPOSE)

describe('what is stored', () => {
  test.each([[''], ['mac_live_0123456789abcdef'], ['ключ'], ['\ud83d\udd11'], ['\ud800'], ['a\0b'], ['x'.repeat(100)]])(
    'of %j is its HMAC-SHA-256, however often it is made',
    (text) => {
      const expected = createHmac('sha256', derive(NEWEST, PURPOSE)).update(text).digest('base64url')
      for (let time = 0; time < 3; time++) expect(hasher.hash(text).hash).toBe(expected)
    },
  )

  test('is made under every pepper, newest first', () => {
    expect(hasher.hashes('text')).toEqual([hasher.hash('text'), former.hash('text')])
    expect(hasher.known).toEqual([hasher.hash('').pepper, former.hash('').pepper])
  })

  test('tells which pepper made it', () => {
    const [mine, older, unknown] = [hasher, former, lost].map((each) => each.hash('text'))
    expect([mine, older, unknown].map((each) => each && hasher.isKnown(each))).toEqual([true, true, false])
    expect([mine, older, unknown].map((each) => each && hasher.isCurrent(each))).toEqual([true, false, false])
  })
})

describe('a text', () => {
  const right = hasher.hash('text')
  const CASES: readonly (readonly [string, PepperedHash | null, boolean])[] = [
    ['the newest pepper', right, true],
    ['a former pepper', former.hash('text'), true],
    ['a pepper that is lost', lost.hash('text'), false],
    ['the name of another pepper', { ...right, pepper: former.hash('').pepper }, false],
    ['another text', hasher.hash('texT'), false],
    ['nothing', null, false],
    ['the start of its hash', { ...right, hash: right.hash.slice(0, -1) }, false],
    ['its hash and more', { ...right, hash: `${right.hash}A` }, false],
    ['no hash', { ...right, hash: '' }, false],
  ]

  test.each([...CASES])('against %s costs one HMAC', async (_, stored, isRight) => {
    const { result, work } = await measureWork(async () => hasher.matches('text', stored))
    expect([result, work.hmacs]).toEqual([isRight, 1])
  })

  test('that is empty does not match the decoy', () => {
    expect(hasher.matches('', null)).toBe(false)
    expect(hasher.matches('', hasher.hash(''))).toBe(true)
  })
})
