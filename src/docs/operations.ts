/** Which operations of OpenAPI the routes of an app are. */
import type { GuardMark } from '../guards/gate.ts'
import { LIMIT_GUARD } from '../guards/limit-gate.ts'
import { guardsOf } from '../guards/routes.ts'
import { createPathMatcher } from '../lib/path.ts'
import type { CompiledPolicy } from '../limits/policy.ts'
import type { ProtectRule } from '../options/types.ts'
import type { DocumentedApp, DocumentedHooks } from './elysia-routes.ts'

/** Whether a route that is not hidden is shown. */
export type IsListed = (route: { readonly path: string; readonly handler: unknown }) => boolean

export interface RouteOperation {
  readonly method: string
  /** With `{name}` for parameters. */
  readonly path: string
  readonly hooks: DocumentedHooks
  /** The name in `path` of each parameter of the route. */
  readonly parameterNames: ReadonlyMap<string, string>
  readonly guards: readonly GuardMark[]
  /** Its own limits, which guard nothing. */
  readonly limits: readonly CompiledPolicy[]
  /** Whether it says `public: true`. */
  readonly isPublic: boolean
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

const PARAMETER = /\{([^{}]*)\}/g

/** The names in a path's template. */
export function parametersIn(path: string): readonly string[] {
  return [...path.matchAll(PARAMETER)].map(([, name = '']) => name)
}

/** What answers when several routes have a method and path: lower wins. */
function precedenceOf(method: string, variant: number): number {
  if (method === 'WS') return 3
  if (method === 'ALL') return 2
  return variant === 0 ? 0 : 1
}

function guardsOfRules(rules: readonly ProtectRule[]): (path: string) => readonly GuardMark[] {
  const compiled = rules.map((rule) => ({
    matches: createPathMatcher(rule.path),
    guards: Object.entries(rule.require).map(([name, value]) => ({ name, value })),
  }))
  return (path) => compiled.flatMap((rule) => (rule.matches(path) ? rule.guards : []))
}

/** Paths that differ only in the names of parameters are one path, and have the names of the first. */
class PathNames {
  readonly #shapes = new Map<string, string>()

  /** The path to show, and the names there of the template's parameters. */
  settle(template: string): { readonly path: string; readonly parameterNames: ReadonlyMap<string, string> } {
    const shape = template.replaceAll(PARAMETER, '{}')
    const path = this.#shapes.get(shape) ?? template
    this.#shapes.set(shape, path)
    const shown = parametersIn(path)
    return { path, parameterNames: new Map(parametersIn(template).map((name, index) => [name, shown[index] ?? name])) }
  }
}

/**
 * The operations of an app, in the order of its routes.
 *
 * Left out: hidden routes, methods that OpenAPI has not, and paths with `*`, which it cannot describe.
 *
 * @param rules of `protect`, which guard routes without a mark on them
 */
export function operationsOf(
  app: DocumentedApp,
  rules: readonly ProtectRule[],
  isListed: IsListed,
): readonly RouteOperation[] {
  const guardsOfPath = guardsOfRules(rules)
  const names = new PathNames()
  const found = new Map<string, { precedence: number; operation: RouteOperation }>()
  for (const route of app.router.history) {
    if (route.path.includes('*') || !isListed(route)) continue
    const marks = guardsOf(route)
    const isPublic = marks.some(({ name }) => name === 'public')
    const isLimit = ({ name }: GuardMark) => name === LIMIT_GUARD
    const guards = [...(isPublic ? [] : guardsOfPath(route.path)), ...marks.filter((mark) => !isLimit(mark))]
    const limits = marks.filter(isLimit).flatMap(({ value }) => value as readonly CompiledPolicy[])
    const common = { hooks: route.hooks, guards, limits, isPublic, isWebSocket: route.method === 'WS' }
    for (const [variant, template] of templatesOf(route.path).entries()) {
      const settled = names.settle(template)
      const precedence = precedenceOf(route.method, variant)
      for (const method of methodsOf(route.method)) {
        const key = `${method} ${settled.path}`
        if ((found.get(key)?.precedence ?? Number.POSITIVE_INFINITY) < precedence) continue
        found.set(key, { precedence, operation: { method, ...settled, ...common } })
      }
    }
  }
  return [...found.values()].map(({ operation }) => operation).filter(({ hooks }) => hooks.detail?.hide !== true)
}
