/**
 * Whether an app listens to errors itself.
 *
 * A refusal that nobody else may want to answer is rendered at once. Elysia's own way to `toResponse`, over all its
 * error hooks, costs more than the guard that refused.
 */
import type { AppInternals, HookContainer } from './elysia-internals.ts'

const OURS = Symbol('machine-auth.error-hook')

/** Marks an error hook of ours. */
export function asOwnErrorHook<F extends (...given: never[]) => unknown>(hook: F): F {
  return Object.assign(hook, { [OURS]: true })
}

function isForeign(hook: HookContainer): boolean {
  return typeof hook.fn !== 'function' || !(OURS in hook.fn)
}

export function hasForeignErrorHook(app: AppInternals): boolean {
  const lists = [app.event.error, ...app.router.history.map((route) => route.hooks.error)]
  return lists.some((hooks) => hooks?.some(isForeign) ?? false)
}
