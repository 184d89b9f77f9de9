/** What all our endpoints share: errors as problem+json, nothing cached, bodies read by our own reader. */
import { Elysia } from 'elysia'
import type { Principal } from '../authentication/principal.ts'
import type { OwnPermission } from '../authorization/own-permissions.ts'
import { MachineAuthError } from '../errors.ts'
import { toRefusal } from '../guards/elysia-errors.ts'
import { asOwnErrorHook } from '../guards/error-hooks.ts'
import { createGate, createMark } from '../guards/gate.ts'
import type { Presented } from '../guards/presented.ts'
import { requireManagement, requirePrincipal } from '../guards/requirements.ts'
import { presentedBy } from '../guards/state.ts'
import { invalidField } from '../lib/field-errors.ts'
import { LIMIT_ACCEPTED } from '../lib/page.ts'
import { type BodyRule, OBJECT_BODY, readJsonBody } from './body.ts'
import type { MountPoint } from './mount-point.ts'

/** Refusals of an endpoint that no guard of it announces, for the documentation. */
export function refusing(...statuses: readonly number[]): object {
  return { 'x-problems': statuses }
}

/** Says by which request somebody acts; a copy, since principals are remembered from one request to the next. */
export function withOrigin<P extends Principal>(presented: Presented, principal: P) {
  return { ...principal, origin: { address: presented.address, requestId: presented.requestId } }
}

/**
 * Whether a query asks for a limit that is a number for JavaScript alone, such as 1e1, which Elysia would take. What is
 * no number it refuses itself. Read from the URL: a hook that says `query` has Elysia parse it on every route of the app.
 */
function hasOddLimit(url: string): boolean {
  const start = url.indexOf('?')
  if (start === -1) return false
  const limits = new URLSearchParams(url.slice(start)).getAll('limit')
  return limits.some((limit) => Number.isInteger(Number(limit)) && !/^-?\d+$/.test(limit))
}

/**
 * An instance for endpoints of ours.
 *
 * @param name sets the instance apart from others of the same core
 * @param rule what bodies they take
 */
export function createEndpoints(name: string, mount: MountPoint, rule: BodyRule = OBJECT_BODY) {
  return new Elysia({ name: `machine-auth/${name}`, seed: crypto.randomUUID() })
    .onParse(({ request }) => readJsonBody(request, rule))
    .onTransform(({ route, request, set }) => {
      set.headers['cache-control'] = 'no-store'
      // A module under a prefix of its own that uses the plugin for its types would mount everything once more.
      if (!mount.isCanonical(route)) throw new MachineAuthError('not_found')
      if (hasOddLimit(request.url)) throw invalidField('limit', LIMIT_ACCEPTED)
    })
    .onError(
      asOwnErrorHook(({ code, error, request, set }) => {
        const known = toRefusal(code, error)
        if (known === null) return undefined
        known.requestId = presentedBy(request).requestId
        const body = known.writeTo(set)
        return body
      }),
    )
    .macro('machineAuthManagement', (permission: OwnPermission) =>
      createGate({ name: 'management', value: permission }, (presented) => ({
        actor: withOrigin(presented, requireManagement(presented, permission)),
      })),
    )
    .macro('machineAuthPublic', (_: true) => createMark({ name: 'public', value: true }))
    .macro('machineAuthAny', (_: true) =>
      createGate({ name: 'currentPrincipal', value: true }, (presented) => ({
        actor: withOrigin(presented, requirePrincipal(presented)),
      })),
    )
}
