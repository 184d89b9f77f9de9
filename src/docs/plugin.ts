/** Mounts the documentation: the page, its files and the document. */
import type { AnyElysia, Elysia } from 'elysia'
import { MachineAuthError } from '../errors.ts'
import { type AppInternals, internalsOf } from '../guards/elysia-internals.ts'
import { createMark } from '../guards/gate.ts'
import { findPlace } from '../guards/place.ts'
import { requestPath } from '../lib/path.ts'
import { assetsVersion, respondWithAsset } from './assets.ts'
import type { DocumentSettings } from './document.ts'
import { createCopyCheck, findServingApp } from './elysia-routes.ts'
import { DEFAULT_TITLE, respondWithPage } from './page.ts'

export interface DocsSettings extends DocumentSettings {
  /** Where the page is; the document is at `<path>/json`. */
  readonly path: string
}

interface CachedDocument {
  readonly routeCount: number
  readonly text: Promise<string>
}

/** Keeps one document per app, until the app has another number of routes. */
function keepPerApp(make: (app: AppInternals) => Promise<string>): (app: AppInternals) => Promise<string> {
  const kept = new WeakMap<AppInternals, CachedDocument>()
  return (app) => {
    const routeCount = app.router.history.length
    const known = kept.get(app)
    if (known?.routeCount === routeCount) return known.text
    const text = make(app)
    kept.set(app, { routeCount, text })
    text.catch(() => kept.delete(app))
    return text
  }
}

const DOCUMENT_HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
}

/** The mark says to the route audit that they are open on purpose; unlike `public`, it leaves them to `protect` rules. */
const HIDDEN = { detail: { hide: true }, ...createMark({ name: 'documentation', value: true }) } as const

/** What of a handler's context says where it is. */
interface Place {
  readonly store: object
  readonly route: string
}

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
  const title = settings.info?.title ?? DEFAULT_TITLE
  /** All instances that the documentation is mounted on. */
  const plugins: AppInternals[] = []

  function placeIn(app: AppInternals): string | null {
    return findPlace(app, showDocument, `${path}/json`)
  }

  const documentOf = keepPerApp(async (app) => {
    // What makes it is large, and who is never asked for it does without.
    const { createDocument } = await import('./document.ts')
    const place = placeIn(app) ?? ''
    const isCopy = plugins.map((plugin) => createCopyCheck(plugin, place))
    return JSON.stringify(await createDocument(app, settings, (route) => !isCopy.some((check) => check(route))))
  })

  /** The app that is asked, at the one place where its documentation is. */
  function requireApp({ store, route }: Place, ownPath: string): AppInternals {
    const app = findServingApp(roots(), store)
    const place = app === undefined ? null : placeIn(app)
    if (app === undefined || place === null || place + ownPath !== route) throw new MachineAuthError('not_found')
    return app
  }

  async function showPage({ request, store, route }: Place & { request: Request }): Promise<Response> {
    requireApp({ store, route }, path === '' ? '/' : path)
    const depth = route.split('/').filter((segment) => segment !== '').length
    const isFolder = folder === '' || requestPath(request.url).endsWith('/')
    return respondWithPage(title, {
      base: isFolder ? '' : `${folder}/`,
      root: depth === 0 ? './' : '../'.repeat(depth),
      version: await assetsVersion(),
    })
  }

  async function showDocument({ store, route }: Place): Promise<Response> {
    const app = requireApp({ store, route }, `${path}/json`)
    return new Response(await documentOf(app), { headers: DOCUMENT_HEADERS })
  }

  function showAsset({ params, store, route }: Place & { params: { file: string } }): Response {
    requireApp({ store, route }, `${path}/assets/:file`)
    const response = respondWithAsset(params.file)
    if (response === null) throw new MachineAuthError('not_found')
    return response
  }

  return (plugin: Elysia) => {
    plugins.push(internalsOf(plugin))
    plugin
      .get(path === '' ? '/' : path, showPage, HIDDEN)
      .get(`${path}/json`, showDocument, HIDDEN)
      .get(`${path}/assets/:file`, showAsset, HIDDEN)
  }
}
