/** Holds `docs/errors.md` and the page of each code to the table in the code. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ERROR_CODES, statusOf, titleOf } from '../../src/errors.ts'
import { DOCS, PAGE_CODES, readErrorPage } from './error-pages.ts'

const index = readFileSync(join(DOCS, 'errors.md'), 'utf8')
const SECTIONS = ['When', 'Answer', 'As the caller', 'As the operator', 'Related']

/** All of the code, in which a text that a page quotes must stand. */
const source = [...new Bun.Glob('src/**/*.ts').scanSync(join(DOCS, '..'))]
  .map((file) => readFileSync(join(DOCS, '..', file), 'utf8'))
  .join('\n')

/** The anchor that a heading has on the page. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}

/** What is wrong with a link, or null. */
function mistakeIn(link: string, file: string): string | null {
  const [path = '', anchor] = link.split('#')
  const target = join(dirname(file), path)
  if (!existsSync(target)) return `${link}: no such file`
  if (anchor === undefined) return null
  const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.map(anchorOf).includes(anchor) ? null : `${link}: no such heading`
}

function mistakenLinks(file: string): readonly string[] {
  const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = '']) => link)
  return links.flatMap((link) => mistakeIn(link, file) ?? [])
}

test('there is exactly one page for each code', () => {
  expect([...PAGE_CODES].sort()).toEqual([...ERROR_CODES].sort())
})

test('the index lists each code once, in the order of the code, with what its page says', () => {
  const rows = index.split('\n').filter((line) => line.startsWith('| [`'))
  const expected = ERROR_CODES.map(
    (code) => `| [\`${code}\`](errors/${code}.md) | ${statusOf(code)} | ${readErrorPage(code).sentence} |`,
  )
  expect(rows).toEqual(expected)
})

test('the links of the index lead somewhere', () => {
  expect(mistakenLinks(join(DOCS, 'errors.md'))).toEqual([])
})

describe.each([...ERROR_CODES])('the page of %s', (code) => {
  const file = join(DOCS, 'errors', `${code}.md`)
  const page = readErrorPage(code)

  test('begins with its code, status and title, and a sentence', () => {
    expect(page).toMatchObject({ heading: `# \`${code}\``, status: statusOf(code), title: titleOf(code) })
    expect(page.sentence).toMatch(/^[A-Z`].{15,}\.$/)
  })

  test('has each section once, and something in it', () => {
    expect([...page.sections.keys()]).toEqual(SECTIONS)
    expect(page.text.match(/^## /gm)).toHaveLength(SECTIONS.length)
    for (const [name, text] of page.sections) {
      if (name !== 'Answer') expect(text).toMatch(/^- \S/)
    }
  })

  test('shows a problem of this code', () => {
    const status = statusOf(code)
    expect(page.example.status).toBe(status)
    expect(page.example.body).toMatchObject({
      type: `urn:machine-auth:error:${code}`,
      title: titleOf(code),
      status,
      code,
      detail: expect.stringMatching(/./),
      requestId: '…',
    })
    expect(page.example.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'x-request-id': '…',
    })
  })

  test('links to what there is, and names other codes as related', () => {
    expect(mistakenLinks(file)).toEqual([])
    const related = [...(page.sections.get('Related') ?? '').matchAll(/^- \[`(\w+)`\]\((\w+\.md)\)/gm)]
    expect(related.length).toBeGreaterThan(0)
    for (const [, name = '', target = ''] of related) {
      expect([basename(target, '.md'), name === code]).toEqual([name, false])
    }
  })

  test('quotes only texts that the code has', () => {
    const when = page.sections.get('When') ?? ''
    const quoted = [...when.matchAll(/`([A-Z][^`]*\.)`/g)].map(([, text = '']) => text)
    // A number stands for what the text is filled in with.
    const pieces = quoted.flatMap((text) => text.split(/\d+/))
    expect(pieces.filter((piece) => !source.includes(piece))).toEqual([])
  })
})
