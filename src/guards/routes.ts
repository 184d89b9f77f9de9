/** What guards each route of an app has. */
import type { AppInternals, InternalRoute } from './elysia-internals.ts'
import { type GuardMark, MARK } from './gate.ts'
import { LIMIT_GUARD } from './limit-gate.ts'

/** A route as the audit, the documentation and `machine-auth routes` see it. */
export interface RouteDescription {
  readonly method: string
  readonly path: string
  readonly guards: readonly GuardMark[]
  /** Its limits: they guard nothing. */
  readonly limits: readonly GuardMark[]
  /** Whether it says `public: true`. */
  readonly isPublic: boolean
}

export function guardsOf(route: InternalRoute): readonly GuardMark[] {
  const marks: GuardMark[] = []
  for (const { fn } of route.hooks.transform ?? []) {
    const mark = typeof fn === 'function' ? fn[MARK] : undefined
    if (mark !== undefined) marks.push(mark)
  }
  return marks
}

function describeRoute(route: InternalRoute): RouteDescription {
  const marks = guardsOf(route)
  return {
    method: route.method,
    path: route.path,
    guards: marks.filter(({ name }) => name !== 'public' && name !== LIMIT_GUARD),
    limits: marks.filter(({ name }) => name === LIMIT_GUARD),
    isPublic: marks.some(({ name }) => name === 'public'),
  }
}

export function describeRoutes(app: AppInternals): readonly RouteDescription[] {
  return app.router.history.map(describeRoute)
}
