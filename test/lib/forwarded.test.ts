import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { clientAddress, compileTrustedProxies } from '../../src/lib/forwarded.ts'

const PROXY = '10.0.0.1'
const FROM = ['10.0.0.0/8', '2001:db8:ffff::/48']

function seen(header: string, value: string | null, peer: string | null = PROXY): string | null {
  const trust = compileTrustedProxies({ from: FROM, header })
  return clientAddress(peer, trust, new Headers(value === null ? {} : { [header]: value }))
}

describe('without a listed proxy', () => {
  const headers = new Headers({ 'x-forwarded-for': '1.1.1.1', forwarded: 'for=1.1.1.1', 'x-real-ip': '1.1.1.1' })
  const trust = compileTrustedProxies({ from: FROM, header: 'x-forwarded-for' })

  test.each<[string, string | null, ReturnType<typeof compileTrustedProxies>, string | null]>([
    ['trust nobody', PROXY, false, PROXY],
    ['the peer is not listed', '203.0.113.9', trust, '203.0.113.9'],
    ['the peer is mapped', '::ffff:203.0.113.9', trust, '203.0.113.9'],
    ['no socket', null, trust, null],
    ['no socket, trust nobody', null, false, null],
    ['a peer that is no address', 'unix:', trust, null],
  ])('headers are ignored: %s', (_name, peer, option, expected) => {
    expect(clientAddress(peer, option, headers)).toBe(expected)
  })

  test('a spoofed header makes no second client, however often it changes', () => {
    const clients = new Set<string | null>()
    for (let index = 0; index < 1000; index += 1) {
      const spoofed = new Headers({ 'x-forwarded-for': `1.1.${index % 256}.${index >> 8}` })
      clients.add(clientAddress('203.0.113.9', trust, spoofed))
    }
    expect([...clients]).toEqual(['203.0.113.9'])
  })
})

describe('only the configured header counts', () => {
  test('Forwarded is ignored where X-Forwarded-For is configured, and the other way round', () => {
    const headers = new Headers({ 'x-forwarded-for': '1.1.1.1', forwarded: 'for=2.2.2.2' })
    const of = (header: string) => clientAddress(PROXY, compileTrustedProxies({ from: FROM, header }), headers)
    expect(of('x-forwarded-for')).toBe('1.1.1.1')
    expect(of('Forwarded')).toBe('2.2.2.2')
    expect(of('x-real-ip')).toBe(PROXY)
  })
})

describe('x-forwarded-for', () => {
  test.each<[string | null, string]>([
    [null, PROXY],
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['2001:db8::9', '2001:db8::9'],
    ['[2001:db8::9]', '2001:db8::9'],
    ['[2001:db8::9]:4711', '2001:db8::9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['1.1.1.1,203.0.113.9\t', '203.0.113.9'],
    ['203.0.113.9, 10.0.0.7', '203.0.113.9'],
    ['203.0.113.9, 10.0.0.7, 2001:db8:ffff::1', '203.0.113.9'],
    ['1.1.1.1, 203.0.113.9, 10.0.0.7', '203.0.113.9'],
    ['10.0.0.8, 10.0.0.7', '10.0.0.8'],
    // What cannot be read ends the walk at the last listed proxy.
    ['203.0.113.9, unknown', PROXY],
    ['203.0.113.9, unknown, 10.0.0.7', '10.0.0.7'],
    ['203.0.113.9,', PROXY],
    ['', PROXY],
    [',', PROXY],
    ['203.0.113.009', PROXY],
    ['203.0.113.9:port', PROXY],
    ['203.0.113.9:', PROXY],
    ['203.0.113.9:123456', PROXY],
    ['[2001:db8::9', PROXY],
    ['[203.0.113.9]', PROXY],
    ['[2001:db8::9]x', PROXY],
    ['2001:db8::9%eth0', PROXY],
    ['"203.0.113.9"', PROXY],
    ['for=203.0.113.9', PROXY],
    ['203.0.113.9 10.0.0.7', PROXY],
  ])('%j comes from %s', (value, expected) => {
    expect(seen('x-forwarded-for', value)).toBe(expected)
  })

  test('a listed IPv6 proxy is recognized in any spelling', () => {
    expect(seen('x-forwarded-for', '203.0.113.9', '2001:DB8:FFFF:0::1')).toBe('203.0.113.9')
    expect(seen('x-forwarded-for', '203.0.113.9', '::ffff:10.9.9.9')).toBe('203.0.113.9')
  })
})

describe('forwarded', () => {
  test.each<[string, string]>([
    ['for=203.0.113.9', '203.0.113.9'],
    ['For=203.0.113.9;proto=https;by=10.0.0.1', '203.0.113.9'],
    ['proto=https; FOR="203.0.113.9:80" ;host="a.example"', '203.0.113.9'],
    ['for="[2001:db8::9]:4711"', '2001:db8::9'],
    ['for="[2001:db8::9]"', '2001:db8::9'],
    ['for="[2001:db8::9]:_port"', '2001:db8::9'],
    ['for="203\\.0.113.9"', '203.0.113.9'],
    ['for=1.1.1.1, for=203.0.113.9', '203.0.113.9'],
    ['for=203.0.113.9, for=10.0.0.7', '203.0.113.9'],
    ['for=203.0.113.9;host="a,b;c", for=10.0.0.7;host="x\\"y,z"', '203.0.113.9'],
    // An open quote of the client's does not swallow what the proxy appended.
    ['for="1.1.1.1, for=203.0.113.9', '203.0.113.9'],
    ['for=", for=203.0.113.9', '203.0.113.9'],
    ['for="\\, for=203.0.113.9', '203.0.113.9'],
    ['", for=203.0.113.9, for=10.0.0.7', '203.0.113.9'],
    // What cannot be read ends the walk at the last listed proxy.
    ['for=unknown', PROXY],
    ['for=_hidden', PROXY],
    ['for="_hidden", for=10.0.0.7', '10.0.0.7'],
    ['proto=https', PROXY],
    ['for=203.0.113.9;for=1.1.1.1', PROXY],
    ['for=203.0.113.9:80', PROXY],
    ['for=[2001:db8::9]', PROXY],
    ['for="2001:db8::9"', PROXY],
    ['for = 203.0.113.9', PROXY],
    ['for="203.0.113.9', PROXY],
    ['for=203.0.113.9"', PROXY],
    ['203.0.113.9', PROXY],
    ['for=', PROXY],
    ['', PROXY],
    [',', PROXY],
  ])('%j comes from %s', (value, expected) => {
    expect(seen('forwarded', value)).toBe(expected)
  })
})

describe('a header of one address', () => {
  test.each<[string, string]>([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['2001:db8::9', '2001:db8::9'],
    // Sent twice: the client's own beside the proxy's.
    ['1.1.1.1, 203.0.113.9', PROXY],
    ['', PROXY],
  ])('%j comes from %s', (value, expected) => {
    expect(seen('cf-connecting-ip', value)).toBe(expected)
  })
})

describe('whatever a client sends before what the proxy appends', () => {
  // Anything a header value may hold.
  const junk = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })

  test('x-forwarded-for names the client the proxy saw', () => {
    fc.assert(
      fc.property(junk, fc.ipV4(), (client, real) => {
        fc.pre(!real.startsWith('10.'))
        expect(seen('x-forwarded-for', `${client}, ${real}`)).toBe(real)
      }),
    )
  })

  test('forwarded names the client the proxy saw', () => {
    fc.assert(
      fc.property(junk, fc.ipV4(), (client, real) => {
        fc.pre(!real.startsWith('10.'))
        expect(seen('forwarded', `${client}, proto=https;for="${real}:80";host="a\\"b,c"`)).toBe(real)
      }),
    )
  })
})
