import { describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { hostOf, reach, reachedBy } from '../../src/lib/reach.ts'
import { Teller } from '../../src/lib/teller.ts'

describe('reach', () => {
  test('finds what listens, what does not, and what is nowhere', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = Object(server.address())
    expect(await reach('127.0.0.1', port, 2000)).toBe('open')
    await new Promise((resolve) => server.close(resolve))
    expect(await reach('127.0.0.1', port, 2000)).toBe('refused')
    expect(await reach('nowhere.invalid', port, 5000)).toBe('unknown_host')
  })

  test.each([
    ['ENOTFOUND', 'unknown_host'],
    ['EAI_AGAIN', 'unknown_host'],
    ['ECONNREFUSED', 'refused'],
    ['ETIMEDOUT', 'silent'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['ECONNRESET', null],
    ['', null],
  ])('%s is %s', (code, reached) => expect(reachedBy(code)).toBe(reached as ReturnType<typeof reachedBy>))

  test.each([
    ['redis://[::1]:1', '::1'],
    ['postgres://db.example:5432/app', 'db.example'],
  ])('the host of %s is %s', (url, host) => expect(hostOf(new URL(url))).toBe(host))
})

test('a teller keeps the order, also when a line is found out late or never', async () => {
  const told: string[] = []
  const teller = new Teller((message) => void told.push(message))
  const late = Promise.withResolvers<string>()
  teller.tell(late.promise)
  teller.tell(Promise.reject(new Error('never')))
  teller.tell('last')
  late.resolve('first')
  await teller.told
  expect(told).toEqual(['first', 'last'])
})
