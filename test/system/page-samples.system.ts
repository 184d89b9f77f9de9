/** What the documentation page fills in for our own endpoints, in a browser: "Try it out" works without editing. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { asMaster, createTestApp, type TestApp } from '../support/test-app.ts'

const CHROMIUM = '/usr/bin/chromium'
const isRequired = process.env.REQUIRE_SERVICES === '1'

/** A browser draws slowly on a machine that is busy with others. */
setDefaultTimeout(60_000)

describe.skipIf(!existsSync(CHROMIUM) && !isRequired)('the page in Chromium', () => {
  let browser: Browser
  let served: TestApp
  let page: Page

  beforeAll(async () => {
    served = await createTestApp({ docs: { path: '/swagger' } })
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    page = await browser.newPage()
    await page.goto(`${served.origin}/swagger`)
    await page.waitForSelector('.opblock')
  })

  afterAll(async () => {
    await browser?.close()
    await served?.close()
  })

  test.each([
    ['/auth/keys', 201],
    ['/auth/keys/verify', 200],
    ['/auth/token/new', 200],
    ['/auth/login', 401],
    ['/auth/logout', 204],
  ])('fills in a body that %s answers with %i', async (path, status) => {
    const block = page.locator('.opblock-post', { has: page.locator(`[data-path="${path}"]`) })
    // One at a time: drawing all operations takes a slow machine half a minute.
    await block.locator('.opblock-summary-control').click()
    await block.locator('.try-out__btn').click()
    const shown = await block.locator('textarea.body-param__text').inputValue()
    const answer = await served.ask(path, { headers: asMaster, body: JSON.parse(shown) })
    expect([answer.status, shown]).toEqual([status, expect.not.stringContaining('additionalProp')])
  })
})
