/**
 * Makes one of all limits of a route and its groups, so that a request counts for all of them or for none, and puts it
 * before every other guard, so that it counts requests that they refuse.
 *
 * Takes our `parse` hook off the routes that have no body to wait for.
 *
 * Elysia compiles a route with any `parse` hook as an asynchronous function that reads the body: on GET that costs
 * speed, and on a route that reads `request` itself it would eat the body. `transform` decides there just as well,
 * since nothing is read before it. Elysia compiles lazily, so that this comes in time; if it ever does not
 * (`precompile`), the guard still refuses, only slower.
 */
import { sucrose } from 'elysia/sucrose'
import { type CompiledPolicy, tellApart } from '../limits/policy.ts'
import type { AppInternals, HookContainer, InternalRoute, RouteHooks } from './elysia-internals.ts'
import { MARK, PARSE } from './gate.ts'
import { demandedCredential } from './key-demand.ts'
import { createLimitGate, LIMIT_GUARD, LIMIT_PARSE } from './limit-gate.ts'

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

function markOf({ fn }: HookContainer): string | undefined {
  return typeof fn === 'function' ? fn[MARK]?.name : undefined
}

const isLimit = (hook: HookContainer) => markOf(hook) === LIMIT_GUARD

/** Our hooks of these limits, in the containers that Elysia had for them. */
function mergedHooks(
  limits: readonly HookContainer[],
  guards: readonly string[],
): { parse: HookContainer; transform: HookContainer } | null {
  const [first] = limits
  if (first === undefined) return null
  const policies = tellApart(
    limits.flatMap(({ fn }) => (typeof fn === 'function' ? (fn[MARK]?.value as readonly CompiledPolicy[]) : [])),
  )
  // A gate is typed by what it proves; here it is the two hooks that it holds.
  const gate = createLimitGate(policies, guards.length > 0, demandedCredential(guards)) as unknown as Record<
    'parse' | 'transform',
    HookContainer['fn']
  >
  return { parse: { ...first, fn: gate.parse }, transform: { ...first, fn: gate.transform } }
}

/** Hooks that were made here: an audit looks at routes more than once. */
const MERGED = new WeakSet<object>()

function mergeLimits(hooks: RouteHooks): void {
  const transforms = hooks.transform ?? []
  const marked = transforms.filter((hook) => markOf(hook) !== undefined)
  const limits = marked.filter(isLimit)
  const [firstMarked] = marked
  const isDone = limits.length === 1 && MERGED.has(limits[0]?.fn as object)
  const guards = marked
    .map(markOf)
    .filter((name) => name !== undefined)
    .filter((name) => name !== LIMIT_GUARD && name !== 'public')
  const merged = mergedHooks(limits, guards)
  if (merged === null || firstMarked === undefined || isDone) return
  MERGED.add(merged.transform.fn as object)
  const position = transforms.indexOf(firstMarked)
  hooks.transform = [
    ...transforms.slice(0, position),
    merged.transform,
    ...transforms.slice(position).filter((hook) => !isLimit(hook)),
  ]
  if (hooks.parse === undefined) return
  hooks.parse = [merged.parse, ...hooks.parse.filter((hook) => !isLimitParse(hook))]
}

function isLimitParse(hook: HookContainer | undefined): boolean {
  return typeof hook?.fn === 'function' && LIMIT_PARSE in hook.fn
}

/**
 * Puts our hook first where a body is read, and takes it off where none is.
 *
 * @returns whether the route has a body that it reads itself
 */
export function tunePipeline(app: AppInternals, route: InternalRoute): boolean {
  mergeLimits(route.hooks)
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
