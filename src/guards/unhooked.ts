/**
 * Takes our request hook off apps whose requests come to our `derive` before anything else: that does the same for
 * less. With a request hook Elysia makes a URL and a context ahead of each request, and calls all hooks once more.
 *
 * Elysia compiles a route at its first request, so that this comes in time for those that are listened to; what it
 * compiled before keeps the hook, which does no harm.
 */
import type { AppInternals, HookContainer, InternalRoute } from './elysia-internals.ts'
import { hasForeignErrorHook } from './error-hooks.ts'

const REQUEST_HOOK = Symbol('machine-auth.request-hook')
const FIRST_HOOK = Symbol('machine-auth.first-hook')

/** Marks our hook of requests. */
export function asRequestHook<F extends (...given: never[]) => unknown>(hook: F): F {
  return Object.assign(hook, { [REQUEST_HOOK]: true })
}

/** Marks the hook that our guards build on. */
export function asFirstHook<F extends (...given: never[]) => unknown>(hook: F): F {
  return Object.assign(hook, { [FIRST_HOOK]: true })
}

function isMarked({ fn }: HookContainer, mark: symbol): boolean {
  return typeof fn === 'function' && mark in fn
}

/** Whether anything but the plugin's own hook may answer a request before it is routed. */
export function hasOtherRequestHook(app: AppInternals): boolean {
  return app.event.request?.some((hook) => !isMarked(hook, REQUEST_HOOK)) ?? false
}

function startsWithOurs({ hooks }: InternalRoute): boolean {
  const [first] = hooks.transform ?? []
  return first !== undefined && isMarked(first, FIRST_HOOK)
}

/** Whether every answer of an app is made by us, or by what comes after our first hook. */
function canDoWithout(app: AppInternals): boolean {
  const hasDefaultHeaders = Object.keys(app.setHeaders ?? {}).length > 0
  const isWatched = (app.event.trace?.length ?? 0) > 0
  if (hasDefaultHeaders || isWatched || hasOtherRequestHook(app) || hasForeignErrorHook(app)) return false
  return app.router.history.every(startsWithOurs)
}

/** @returns whether an app is without our request hook now */
export function takeRequestHookOff(app: AppInternals): boolean {
  if (!canDoWithout(app)) return false
  delete app.event.request
  return true
}
