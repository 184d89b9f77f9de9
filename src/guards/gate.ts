/**
 * Turns a requirement into the hooks of an Elysia macro.
 *
 * A gate decides in `parse`, before the body is read, and again in `transform`, before it is validated; it hands its
 * proof over from there. Both are facts of Elysia 1.4, pinned by test/guards: what `transform` returns is assigned to
 * the context, `parse` returning a value skips the body, and only throwing or returning a status refuses.
 *
 * Elysia reads the source of hooks. They take what they need by destructuring, never pass the context on, and
 * synchronous ones never say `return f(`.
 */
import type { Presented } from './presented.ts'
import { presentedBy } from './state.ts'
import type { CollectedAnswer, StatusAnswer } from './status-answers.ts'
import { setVary } from './vary.ts'

/** Which guard a hook belongs to, for the route audit and the documentation. */
export interface GuardMark {
  readonly name: string
  readonly value: unknown
}

/** What a hook of ours looks like from outside. */
export interface MarkedHook {
  readonly [MARK]?: GuardMark
  readonly [PARSE]?: true
}

export const MARK = Symbol('machine-auth.guard')
/** Marks the hook that the audit may take off routes that have no body to wait for. */
export const PARSE = Symbol('machine-auth.parse')

/** All that Elysia's types need to know of a gate: the values it adds to the handler's context. */
export interface Gate<Proof extends object> {
  readonly resolve: () => Proof
}

export interface GateContext {
  readonly request: Request
  readonly set: CollectedAnswer
}

/** Stands in for a body that was not read, on a request that will be refused. */
export const UNREAD = Object.freeze({})

/**
 * Makes the macro hooks of a guard.
 *
 * @param mark which guard this is
 * @param decide returns the values it proved, or throws `MachineAuthError`; must be synchronous
 */
export function createGate<Proof extends object>(
  mark: GuardMark,
  decide: (presented: Presented) => Proof,
): Gate<Proof> {
  function parse({ request, set }: GateContext): object | undefined {
    const presented = presentedBy(request)
    presented.isGuarded = true
    // Already here: whoever reads the body may refuse it.
    setVary(set.headers)
    try {
      decide(presented)
    } catch (refused) {
      presented.refuseWith(refused)
      return UNREAD
    }
    return undefined
  }

  function transform({ request, set }: GateContext): Proof | StatusAnswer {
    const presented = presentedBy(request)
    presented.isGuarded = true
    setVary(set.headers)
    let answer: Proof | StatusAnswer
    try {
      if (presented.refused !== null) throw presented.refused
      answer = decide(presented)
      presented.writeHeaders(set.headers)
    } catch (refused) {
      answer = presented.answerRefused(refused, set)
    }
    return answer
  }

  return asGate<Proof>(parse, Object.assign(transform, { [MARK]: mark }))
}

/** Hooks that demand nothing and only say what the route is. */
export function createMark(mark: GuardMark): Gate<Record<never, never>> {
  return { transform: Object.assign(() => undefined, { [MARK]: mark }) } as unknown as Gate<Record<never, never>>
}

/** What an asynchronous gate is told of the request besides its credentials. */
export interface ResourceContext {
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
}

/** As `createGate`, for a decision that must wait for something of the app's own. Decided once per request. */
export function createAsyncGate<Proof extends object>(
  mark: GuardMark,
  decide: (presented: Presented, context: ResourceContext) => Promise<Proof>,
): Gate<Proof> {
  const decisions = new WeakMap<Presented, Promise<Proof>>()

  function decideOnce(presented: Presented, context: ResourceContext): Promise<Proof> {
    const known = decisions.get(presented)
    if (known !== undefined) return known
    const decision = decide(presented, context)
    decisions.set(presented, decision)
    return decision
  }

  async function parse({ request, set, params }: GateContext & ResourceContext): Promise<object | undefined> {
    const presented = presentedBy(request)
    presented.isGuarded = true
    setVary(set.headers)
    try {
      await decideOnce(presented, { request, params })
    } catch (refused) {
      presented.refuseWith(refused)
      return UNREAD
    }
    return undefined
  }

  async function transform({ request, set, params }: GateContext & ResourceContext): Promise<Proof | StatusAnswer> {
    const presented = presentedBy(request)
    presented.isGuarded = true
    setVary(set.headers)
    try {
      if (presented.refused !== null) throw presented.refused
      const proof = await decideOnce(presented, { request, params })
      presented.writeHeaders(set.headers)
      return proof
    } catch (refused) {
      return presented.answerRefused(refused, set)
    }
  }

  return asGate<Proof>(parse, Object.assign(transform, { [MARK]: mark }))
}

/**
 * Elysia drops a macro's `parse` where the route names a parser by a bare string, but adds it to a list; and it drops
 * any hook of a macro where the route's own is `false`.
 */
function listParser(hook: { parse?: unknown; transform?: unknown }): void {
  if (!hook.parse) delete hook.parse
  if (!hook.transform) delete hook.transform
  if (typeof hook.parse === 'string') hook.parse = [hook.parse]
}

/** Puts a gate's two hooks together. */
export function asGate<Proof extends object>(parse: unknown, transform: unknown): Gate<Proof> {
  const hooks = { introspect: listParser, parse: Object.assign(parse as object, { [PARSE]: true }), transform }
  // Elysia types a macro's values by `resolve` only. Ours come from `transform`, which saves a hook per request.
  return hooks as unknown as Gate<Proof>
}
