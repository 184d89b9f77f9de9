/** Puts an engine into a plugin: the hooks by which it meets every request and every error. */
import type { Elysia } from 'elysia'
import { MachineAuthError } from '../errors.ts'
import type { StoppableApp } from '../life/stopping.ts'
import { copyAnswer, copyErrorAnswer, copyHandledAnswers } from './copied-answers.ts'
import { isInvalidAnswer, toRefusal } from './elysia-errors.ts'
import type { GuardEngine } from './engine.ts'
import { asOwnErrorHook } from './error-hooks.ts'
import { asRequestHook } from './unhooked.ts'

export interface InstallOptions {
  /** Whether the bodies of answers are logged: then they are copied before they become streams. */
  readonly keepsBodies?: boolean
  /** Resolves when stored roles are known. */
  readonly ready: Promise<void>
  /** Called when the routes of an app that listens are not guarded as they say, or the core cannot start. */
  readonly onFailure: (failure: unknown, app: StoppableApp) => void
  /** Called when an app listens, and when it has stopped. */
  readonly onServing: (app: StoppableApp) => void
  readonly onStopped: (app: StoppableApp) => void
}

/** @param plugin is changed in place */
export function installEngine(plugin: Elysia, engine: GuardEngine, options: InstallOptions): void {
  const { answers } = engine
  plugin.wrap((handle, request) => engine.admit(handle, request) as typeof handle)
  plugin.onRequest(
    asRequestHook(({ request, set, store }) => {
      const answer = engine.meet(request, set.headers, store)
      if (options.keepsBodies === true) copyAnswer(answer)
      return answer
    }),
  )
  if (options.keepsBodies === true) copyHandledAnswers(plugin)

  plugin.onError(
    { as: 'global' },
    asOwnErrorHook(function renderError({ code, error, request, set }) {
      // Elysia gives errors of an open socket no code, and sends what this returns into it.
      if (code === undefined && engine.isOpenSocket(request)) {
        answers.logSocketError(error, request)
        return undefined
      }
      engine.writeLimits(request, set.headers)
      if (error instanceof MachineAuthError) {
        const answer = answers.render(error, request, set)
        if (options.keepsBodies === true) copyErrorAnswer(answer, error)
        return answer
      }
      set.headers['x-request-id'] ??= answers.requestIdOf(request)
      const refusal = toRefusal(code, error)
      if (refusal !== null) {
        const answer = answers.renderForElysia(refusal, request, set)
        return answer
      }
      if (!isInvalidAnswer(code, error) && answers.isDeliberate(error)) return undefined
      // Elysia sets an error's status before it asks the hooks of a route, and only then.
      const isLate = code === undefined || isInvalidAnswer(code, error) || Number(set.status ?? 200) < 300
      const concealed = answers.conceal(error, request, isLate)
      if (options.keepsBodies === true) copyErrorAnswer(concealed, error)
      return concealed
    }),
  )

  // Who serves without listening hears of an unknown role with the next request.
  options.ready.then(
    () => engine.routes.forget(),
    () => undefined,
  )
  plugin.onStart((app) => {
    engine.apps.add(app)
    const fail = (failure: unknown) => options.onFailure(failure, app)
    try {
      engine.requireAudited()
    } catch (failure) {
      fail(failure)
      return
    }
    options.onServing(app)
    // Only then are stored roles known, and with them which names are not.
    options.ready
      .then(() => {
        engine.routes.forget()
        engine.requireAudited()
      })
      .catch(fail)
  })
  plugin.onStop((app) => options.onStopped(app))
  engine.apps.watch(plugin)
}
