/** The pages of `docs/errors`, taken apart. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Json } from '../support/test-app.ts'

export const DOCS = join(import.meta.dir, '../../docs')

/** The codes that have a page, in alphabetical order. */
export const PAGE_CODES: readonly string[] = readdirSync(join(DOCS, 'errors')).map((name) => basename(name, '.md'))

export interface ErrorPage {
  readonly text: string
  readonly heading: string
  readonly status: number
  readonly title: string
  /** What the code means, in a sentence. */
  readonly sentence: string
  /** By their headings, in their order. */
  readonly sections: ReadonlyMap<string, string>
  readonly example: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: Json
  }
}

/** The text of the one code block of a language. */
function blockOf(text: string, language: string): string {
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
  const [block = []] = blocks
  if (blocks.length !== 1) throw new Error(`expected one block of ${language}, found ${blocks.length}`)
  return block[1] ?? ''
}

function parseExample(answer: string): ErrorPage['example'] {
  const [statusLine = '', ...lines] = blockOf(answer, 'http').trim().split('\n')
  const headers = lines.map((line) => {
    const [, name = '', value = ''] = /^([A-Za-z-]+): (.+)$/.exec(line) ?? []
    return [name.toLowerCase(), value]
  })
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) [A-Z]/.exec(statusLine)?.[1]),
    headers: Object.fromEntries(headers),
    body: JSON.parse(blockOf(answer, 'json')),
  }
}

export function readErrorPage(code: string): ErrorPage {
  const text = readFileSync(join(DOCS, 'errors', `${code}.md`), 'utf8')
  const [introduction = '', ...parts] = text.split(/^## /m)
  const [, status, title = '', sentence = ''] = /^\*\*(\d{3}) ([^*]+)\.\*\* (.+)$/m.exec(introduction) ?? []
  const sections = new Map(
    parts.map((part) => {
      const end = part.indexOf('\n')
      return [part.slice(0, end), part.slice(end).trim()] as const
    }),
  )
  return {
    text,
    heading: introduction.split('\n')[0] ?? '',
    status: Number(status),
    title,
    sentence,
    sections,
    example: parseExample(sections.get('Answer') ?? ''),
  }
}
