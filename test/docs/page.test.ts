/** The documentation page and its files, as they are answered. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createDocumented } from './openapi-support.ts'

const app = new Elysia().use(createDocumented({ info: { title: '</title><script>alert(1)</script>' } }))

function get(path: string, target = app): Promise<Response> {
  return target.handle(new Request(`http://localhost${path}`))
}

/** The addresses in a page's `src` and `href`, as a browser resolves them. */
function addressesIn(html: string, pageUrl: string): string[] {
  return [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = '']) => new URL(address, pageUrl).pathname)
}

describe('the page', () => {
  test('has no inline script, and a policy that forbids it and every other host', async () => {
    const response = await get('/swagger')
    const html = await response.text()
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const policy = response.headers.get('content-security-policy')?.split('; ')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(html.match(/<script(?![^>]* src=)/g)).toBeNull()
    expect(html).not.toMatch(/https?:\/\//)
  })

  test('shows its title as text', async () => {
    const html = await (await get('/swagger')).text()
    expect(html).toContain('<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</title>')
  })

  test.each([
    ['/swagger', '', '/swagger'],
    ['/swagger', '', '/swagger/'],
    ['/docs/api/', '', '/docs/api'],
    ['/swagger', '/v1', '/v1/swagger'],
    ['/', '', '/'],
    ['/', '/v1', '/v1/'],
  ])('of path %s and prefix "%s" finds its files when asked for as %s', async (path, prefix, asked) => {
    const other = new Elysia({ prefix }).use(createDocumented({ path }))
    const response = await other.handle(new Request(`http://localhost${asked}`))
    expect(response.status).toBe(200)
    const addresses = addressesIn(await response.text(), `http://localhost${asked}`)
    expect(addresses).toHaveLength(7)
    for (const address of addresses)
      expect([address, (await get(address, other as never)).status]).toEqual([address, 200])
  })
})

describe('a file of the page', () => {
  test.each([
    ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
    ['swagger-ui.css', 'text/css; charset=utf-8'],
    ['index.css', 'text/css; charset=utf-8'],
    ['favicon-32x32.png', 'image/png'],
    ['favicon-16x16.png', 'image/png'],
    ['initializer.js', 'text/javascript; charset=utf-8'],
  ])('%s has its type, may be kept, and is not sniffed', async (name, type) => {
    const response = await get(`/swagger/assets/${name}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100)
  })

  test.each([
    'index.html',
    'package.json',
    'swagger-initializer.js',
    'swagger-ui.css.map',
    '..%2Fpackage.json',
    '%2e%2e%2fpackage.json',
    '..%5c..%5cpackage.json',
    '%2fetc%2fpasswd',
    'toString',
    '__proto__',
    'constructor',
  ])('of another name (%s) is not there', async (name) => {
    expect((await get(`/swagger/assets/${name}`)).status).toBe(404)
  })
})

test('the document is JSON that is asked for anew', async () => {
  const response = await get('/swagger/json')
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.headers.get('cache-control')).toBe('no-cache')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
})
