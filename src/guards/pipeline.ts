/**
 * Takes our `parse` hook off the routes that have no body to wait for.
 *
 * Elysia compiles a route with any `parse` hook as an asynchronous function that reads the body: on GET that costs
 * speed, and on a route that reads `request` itself it would eat the body. `transform` decides there just as well,
 * since nothing is read before it. Elysia compiles lazily, so that this comes in time; if it ever does not
 * (`precompile`), the guard still refuses, only slower.
 */
import { sucrose } from 'elysia/sucrose'
import type { AppInternals, HookContainer, InternalRoute } from './elysia-internals.ts'
import { PARSE } from './gate.ts'

const BODYLESS = new Set(['GET', 'HEAD', 'WS'])

function isOurs(hook: HookContainer): boolean {
  return typeof hook.fn === 'function' && hook.fn[PARSE] === true
}

/** Whether Elysia reads this route's body even without our hook. */
function readsBody(app: AppInternals, route: InternalRoute, others: readonly HookContainer[]): boolean {
  if (BODYLESS.has(route.method)) return false
  if (others.length > 0) return !(others.length === 1 && others[0]?.fn === 'none')
  const { hooks } = route
  if (hooks.body !== undefined || hooks.standaloneValidator?.some((schema) => schema.body !== undefined)) return true
  // The same inference, over the same hooks, that Elysia itself makes when it compiles the route.
  const { parse: _, ...rest } = hooks
  return sucrose(Object.assign({ handler: route.handler }, rest) as Parameters<typeof sucrose>[0], app.inference).body
}

/**
 * Puts our hook first where a body is read, and takes it off where none is.
 *
 * @returns whether the route has a body that it reads itself
 */
export function tunePipeline(app: AppInternals, route: InternalRoute): boolean {
  const hooks = route.hooks.parse
  if (hooks === undefined || !hooks.some(isOurs)) return false
  const ours = hooks.filter(isOurs)
  const others = hooks.filter((hook) => !isOurs(hook))
  if (readsBody(app, route, others)) {
    route.hooks.parse = [...ours, ...others]
    return false
  }
  if (others.length > 0) route.hooks.parse = others
  else delete route.hooks.parse
  return !BODYLESS.has(route.method)
}
