/** The files of the documentation page, served from `swagger-ui-dist` as it is installed. */
import { fileURLToPath } from 'node:url'
import { INITIALIZER } from './page.ts'

const PACKAGE = 'swagger-ui-dist'

/** The files that are served, and no others. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
  'index.css': 'text/css; charset=utf-8',
  'favicon-16x16.png': 'image/png',
  'favicon-32x32.png': 'image/png',
}

const ONE_YEAR_SECONDS = 31_536_000
const CACHED = `public, max-age=${ONE_YEAR_SECONDS}, immutable`

function locate(file: string): string {
  try {
    return fileURLToPath(import.meta.resolve(`${PACKAGE}/${file}`))
  } catch (cause) {
    throw new Error(`The documentation page needs the package ${PACKAGE}: install it, or set docs: false.`, { cause })
  }
}

function respondWith(body: string | Blob, type: string): Response {
  return new Response(body, {
    headers: { 'content-type': type, 'cache-control': CACHED, 'x-content-type-options': 'nosniff' },
  })
}

/** A file of the page; null for any other name. */
export function respondWithAsset(name: string): Response | null {
  if (name === 'initializer.js') return respondWith(INITIALIZER, 'text/javascript; charset=utf-8')
  const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined
  return type === undefined ? null : respondWith(Bun.file(locate(name)), type)
}

let version: Promise<string> | undefined

/** Changes when the files do, so that a browser may keep them for as long as it likes. */
export function assetsVersion(): Promise<string> {
  version ??= Bun.file(locate('package.json'))
    .text()
    .then((text) => Bun.hash(text + INITIALIZER).toString(36))
  return version
}
