/** Whether an app hears of its refusals, or makes other answers of them: then they are thrown. */
import type { AppHooks, AppInternals } from './elysia-internals.ts'
import { hasForeignErrorHook } from './error-hooks.ts'

/** Hooks that hear of errors and not, or otherwise, of a status that a hook returns. */
const LISTENING = ['mapResponse', 'afterResponse', 'trace'] as const

function hears(hooks: Pick<AppHooks, (typeof LISTENING)[number]>): boolean {
  return LISTENING.some((name) => (hooks[name]?.length ?? 0) > 0)
}

export function listensToRefusals(app: AppInternals): boolean {
  return hasForeignErrorHook(app) || hears(app.event) || app.router.history.some(({ hooks }) => hears(hooks))
}
