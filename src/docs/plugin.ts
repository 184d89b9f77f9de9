/** Mounts the documentation: the page, its files and the document. */
import type { AnyElysia, Elysia } from 'elysia'
import { MachineAuthError } from '../errors.ts'
import type { AppInternals } from '../guards/elysia-internals.ts'
import { requestPath } from '../lib/path.ts'
import { assetsVersion, respondWithAsset } from './assets.ts'
import { createDocument, type DocumentSettings } from './document.ts'
import { findServingApp } from './elysia-routes.ts'
import { respondWithPage } from './page.ts'

export interface DocsSettings extends DocumentSettings {
  /** Where the page is; the document is at `<path>/json`. */
  readonly path: string
}

interface CachedDocument {
  readonly routeCount: number
  readonly text: Promise<string>
}

/** The document's text per app, made anew when the app has another number of routes. */
function createDocumentCache(settings: DocsSettings): (app: AppInternals) => Promise<string> {
  const cache = new WeakMap<AppInternals, CachedDocument>()
  return (app) => {
    const routeCount = app.router.history.length
    const cached = cache.get(app)
    if (cached?.routeCount === routeCount) return cached.text
    const text = createDocument(app, settings).then((document) => JSON.stringify(document))
    cache.set(app, { routeCount, text })
    text.catch(() => cache.delete(app))
    return text
  }
}

const DOCUMENT_HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
}

const HIDDEN = { detail: { hide: true } } as const

/**
 * Makes the function that mounts the documentation on a plugin; with `false` it mounts nothing.
 *
 * @param settings the path, and which credentials the app takes
 * @param roots the apps that serve; the document describes the one that is asked
 */
export function createDocs(
  settings: DocsSettings | false,
  roots: () => readonly AppInternals[],
): (plugin: AnyElysia) => void {
  if (settings === false) return () => undefined
  const path = settings.path.replace(/\/+$/, '')
  const folder = path.slice(path.lastIndexOf('/') + 1)
  const title = settings.info?.title ?? 'API'
  const documentOf = createDocumentCache(settings)

  async function showPage({ request, route }: { request: Request; route: string }): Promise<Response> {
    const depth = route.split('/').filter((segment) => segment !== '').length
    const isFolder = folder === '' || requestPath(request.url).endsWith('/')
    return respondWithPage(title, {
      base: isFolder ? '' : `${folder}/`,
      root: depth === 0 ? './' : '../'.repeat(depth),
      version: await assetsVersion(),
    })
  }

  async function showDocument({ store }: { store: object }): Promise<Response> {
    const app = findServingApp(roots(), store)
    if (app === undefined) throw new MachineAuthError('not_found')
    return new Response(await documentOf(app), { headers: DOCUMENT_HEADERS })
  }

  function showAsset({ params }: { params: { file: string } }): Response {
    const response = respondWithAsset(params.file)
    if (response === null) throw new MachineAuthError('not_found')
    return response
  }

  return (plugin: Elysia) => {
    plugin
      .get(path === '' ? '/' : path, showPage, HIDDEN)
      .get(`${path}/json`, showDocument, HIDDEN)
      .get(`${path}/assets/:file`, showAsset, HIDDEN)
  }
}
