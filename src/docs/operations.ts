/** Which operations of OpenAPI the routes of an app are. */
import type { GuardMark } from '../guards/gate.ts'
import { guardsOf } from '../guards/routes.ts'
import { createPathMatcher } from '../lib/path.ts'
import type { ProtectRule } from '../options/types.ts'
import type { DocumentedApp, DocumentedHooks } from './elysia-routes.ts'

export interface RouteOperation {
  readonly method: string
  /** With `{name}` for parameters. */
  readonly path: string
  readonly hooks: DocumentedHooks
  readonly guards: readonly GuardMark[]
  readonly isWebSocket: boolean
}

/** What `.all` is shown as; the others are rarely meant. */
const METHODS_OF_ALL = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const METHODS = new Set([...METHODS_OF_ALL, 'HEAD', 'TRACE'])

function methodsOf(method: string): readonly string[] {
  if (method === 'ALL') return METHODS_OF_ALL
  // A WebSocket begins with a GET request, and that is what its guard refuses.
  if (method === 'WS') return ['GET']
  return METHODS.has(method) ? [method] : []
}

/** `/posts/:id?` is two paths: OpenAPI has no optional ones. The longest comes first. */
function templatesOf(path: string): readonly string[] {
  let templates = ['']
  for (const segment of path.split('/').slice(1)) {
    const isParameter = segment.startsWith(':')
    const isOptional = isParameter && segment.endsWith('?')
    const text = isParameter ? `{${segment.slice(1, isOptional ? -1 : undefined)}}` : segment
    const longer = templates.map((template) => `${template}/${text}`)
    templates = isOptional ? [...longer, ...templates] : longer
  }
  return templates.map((template) => (template === '' ? '/' : template))
}

/** What answers when several routes have a method and path: lower wins. */
function precedenceOf(method: string, variant: number): number {
  if (method === 'WS') return 3
  if (method === 'ALL') return 2
  return variant === 0 ? 0 : 1
}

function isSame(left: GuardMark, right: GuardMark): boolean {
  return left.name === right.name && JSON.stringify(left.value) === JSON.stringify(right.value)
}

function guardsOfRules(rules: readonly ProtectRule[]): (path: string) => readonly GuardMark[] {
  const compiled = rules.map((rule) => ({
    matches: createPathMatcher(rule.path),
    guards: Object.entries(rule.require).map(([name, value]) => ({ name, value })),
  }))
  return (path) => compiled.flatMap((rule) => (rule.matches(path) ? rule.guards : []))
}

/**
 * The operations of an app, in the order of its routes.
 *
 * Left out: hidden routes, methods that OpenAPI has not, and paths with `*`, which it cannot describe.
 *
 * @param rules of `protect`, which guard routes without a mark on them
 */
export function operationsOf(app: DocumentedApp, rules: readonly ProtectRule[]): readonly RouteOperation[] {
  const guardsOfPath = guardsOfRules(rules)
  const found = new Map<string, { precedence: number; operation: RouteOperation }>()
  for (const route of app.router.history) {
    if (route.path.includes('*')) continue
    const marks = guardsOf(route)
    const isPublic = marks.some(({ name }) => name === 'public')
    const all = [...(isPublic ? [] : guardsOfPath(route.path)), ...marks]
    const guards = all.filter((mark, index) => all.findIndex((other) => isSame(mark, other)) === index)
    for (const [variant, path] of templatesOf(route.path).entries()) {
      const precedence = precedenceOf(route.method, variant)
      for (const method of methodsOf(route.method)) {
        const key = `${method} ${path}`
        if ((found.get(key)?.precedence ?? Number.POSITIVE_INFINITY) < precedence) continue
        const operation = { method, path, hooks: route.hooks, guards, isWebSocket: route.method === 'WS' }
        found.set(key, { precedence, operation })
      }
    }
  }
  return [...found.values()].map(({ operation }) => operation).filter(({ hooks }) => hooks.detail?.hide !== true)
}
