/** The documentation page in a browser: it works without any other host, and runs nothing that a description holds. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { Elysia, t } from 'elysia'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createDocumented } from './openapi-support.ts'

const CHROMIUM = '/usr/bin/chromium'
const isRequired = process.env.REQUIRE_SERVICES === '1'

/** A browser draws slowly on a machine that is busy with others. */
setDefaultTimeout(60_000)

/** Another host, that nothing here should ever ask. */
let askedElsewhere = 0
const elsewhere = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch() {
    askedElsewhere += 1
    return new Response()
  },
})
elsewhere.unref()

const ATTACK = [
  '<script>window.attacked = 1</script>',
  '<img src="nowhere" onerror="window.attacked = 2">',
  '<svg onload="window.attacked = 3"></svg>',
  `<iframe src="${elsewhere.url}frame"></iframe>`,
  `![image](${elsewhere.url}image.png)`,
  '[link](javascript:window.attacked=4)',
].join('\n\n')

function createApp(text: string) {
  return new Elysia()
    .use(createDocumented({ info: { title: `Blog ${text}`, description: text } }))
    .get('/posts', () => [{ id: '1' }], {
      optionalUser: true,
      detail: { summary: text, description: text, tags: [text] },
    })
    .post('/posts', () => 'ok', {
      requireRole: 'admin',
      body: t.Object({ title: t.String({ description: text, examples: ['Hello'] }) }),
      detail: { tags: ['Posts'] },
    })
    .get('/data', () => 'ok', { apiKey: true, query: t.Object({ q: t.Optional(t.String({ description: text })) }) })
}

const app = new Elysia().mount('/mounted', createApp('plain'))
const attacked = createApp(ATTACK)

interface Visit {
  readonly page: Page
  readonly foreign: readonly string[]
  readonly complaints: readonly string[]
}

describe.skipIf(!existsSync(CHROMIUM) && !isRequired)('the page in Chromium', () => {
  let browser: Browser
  let origin: string
  let attackedOrigin: string

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
    })
    const listen = (served: Pick<typeof app, 'listen' | 'server'>) => {
      served.listen({ port: 0, hostname: '127.0.0.1' })
      return `http://127.0.0.1:${served.server?.port}`
    }
    origin = listen(app)
    attackedOrigin = listen(attacked as never)
  })

  afterAll(async () => {
    await browser?.close()
    await app.stop(true)
    await attacked.stop(true)
    await elsewhere.stop(true)
  })

  /** Opens a page and all its operations; writes down every request elsewhere. */
  async function visit(url: string, bypassCSP = false): Promise<Visit> {
    const page = await browser.newPage({ bypassCSP })
    const foreign: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin) {
        foreign.push(request.url())
      }
    })
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('dialog', (dialog) => {
      complaints.push(`dialog ${dialog.message()}`)
      void dialog.dismiss()
    })
    await page.goto(url)
    await page.waitForSelector('.opblock')
    await page.$$eval('.opblock-summary-control', (all) => {
      for (const control of all as unknown as { click(): void }[]) control.click()
    })
    await page.waitForSelector('.opblock-body .responses-table')
    return { page, foreign, complaints }
  }

  test('shows and calls the operations of the app, also mounted in another, without a complaint', async () => {
    const { page, foreign, complaints } = await visit(`${origin}/mounted/swagger/`)
    const paths = await page.$$eval('.opblock-summary-path', (all) => all.map((each) => each.getAttribute('data-path')))
    expect(paths).toEqual(['/posts', '/posts', '/data'])
    expect(await page.textContent('.opblock-post .opblock-description')).toContain('Requires role admin.')
    expect(await page.textContent('.info .title')).toContain('Blog plain')
    expect(await page.$$('.opblock .authorization__btn')).toHaveLength(3)

    const answered = page.waitForResponse((response) => response.url().endsWith('/posts'))
    await page.click('.opblock-get .try-out__btn')
    await page.click('.opblock-get .execute')
    const response = await answered
    expect(response.url()).toBe(`${origin}/mounted/posts`)
    expect(await response.json()).toEqual([{ id: '1' }])
    expect({ foreign, complaints }).toEqual({ foreign: [], complaints: [] })
    await page.close()
  })

  test.each([
    ['as it is served', false],
    ['even without its policy', true],
  ])('%s, runs nothing that titles and descriptions hold', async (_, bypassCSP) => {
    const { page } = await visit(`${attackedOrigin}/swagger`, bypassCSP)
    const links = await page.$$eval('.markdown a', (all) => all.map((each) => each.getAttribute('href') ?? ''))
    expect(links.filter((link) => link.includes('script:'))).toEqual([])
    expect(await page.textContent('.info .title')).toContain('Blog <script>')
    // Whatever loads or fails to load has done so by then.
    await page.waitForFunction('[...document.images].every((image) => image.complete)')
    expect(await page.evaluate('typeof window.attacked')).toBe('undefined')
    if (!bypassCSP) expect(askedElsewhere).toBe(0)
    await page.close()
  })
})
