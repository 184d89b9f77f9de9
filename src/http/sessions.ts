/** `/sessions`: cookie sessions. */
import { t } from 'elysia'
import type { LoginService } from '../accounts/login.ts'
import { type Actor, SYSTEM } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { createGate } from '../guards/gate.ts'
import type { Presented } from '../guards/presented.ts'
import { requireSessionPrincipal, requireUserPrincipal } from '../guards/requirements.ts'
import { presentedBy } from '../guards/state.ts'
import { takePage } from '../lib/page.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import { clearSessionCookie, setSessionCookie } from '../sessions/cookie.ts'
import type { SessionService } from '../sessions/service.ts'
import { createEndpoints, refusing, withOrigin } from './base.ts'
import { withCurrent } from './current-session.ts'
import { requireOwnPage } from './login.ts'
import { SessionId, SessionList, SessionView } from './models/sessions.ts'
import { PageQuery } from './models/shared.ts'
import { Login } from './models/tokens.ts'
import type { MountPoint } from './mount-point.ts'

const tags = ['Sessions']

export function createSessionEndpoints(
  prefix: string,
  mount: MountPoint,
  services: { readonly login: LoginService; readonly sessions: SessionService },
  cookie: ResolvedOptions['sessions'],
) {
  const { login, sessions } = services

  /** The session that the browser came with would go on unseen, once its cookie is overwritten. */
  async function endReplaced({ session, address, requestId }: Presented, actorId: string): Promise<void> {
    if (session?.kind !== 'session') return
    const { organizationId } = session
    const actor: Actor = { ...SYSTEM, id: actorId, organizationId, origin: { address, requestId } }
    await sessions.end(session.session.id, undefined, actor).catch((error) => {
      // Somebody else has just ended it.
      if (!(error instanceof MachineAuthError && error.code === 'not_found')) throw error
    })
  }

  return createEndpoints('sessions', mount)
    .macro('machineAuthSession', (_: true) =>
      createGate({ name: 'session', value: true }, (presented) => ({
        actor: withOrigin(presented, requireSessionPrincipal(presented)),
      })),
    )
    .macro('machineAuthUser', (_: true) =>
      createGate({ name: 'currentUser', value: true }, (presented) => ({
        // Not by API key: what a machine was given is not for ending its owner's sessions.
        actor: withOrigin(presented, requireUserPrincipal(presented, ['jwt', 'session'])),
      })),
    )
    .post(
      `${prefix}/sessions`,
      async ({ body, request, set, status }) => {
        requireOwnPage(request.headers, cookie.trustedOrigins)
        const { address } = presentedBy(request)
        const user = await login.verify(body.email, body.password, { address })
        const { session, cookieValue } = await sessions.create(user.id, {
          address,
          userAgent: request.headers.get('user-agent'),
          tokensNotBefore: user.tokensNotBefore,
        })
        await endReplaced(presentedBy(request), user.id)
        setSessionCookie(set, cookie, cookieValue, cookie.ttl)
        return status(201, { ...session, current: true })
      },
      {
        machineAuthPublic: true,
        body: Login,
        response: { 201: SessionView },
        detail: {
          ...refusing(400, 401, 403, 413, 422, 429, 503),
          tags,
          summary: 'Log in with a cookie',
          description: 'Answers a session cookie with a new id, and ends the session that the request came with.',
        },
      },
    )
    .get(
      `${prefix}/sessions`,
      async ({ actor, query }) => takePage(withCurrent(await sessions.list(actor.user.id), actor), query),
      {
        machineAuthUser: true,
        query: PageQuery,
        response: { 200: SessionList },
        detail: { tags, summary: 'List your own sessions' },
      },
    )
    .delete(
      `${prefix}/sessions/current`,
      async ({ actor, set }) => {
        await sessions.end(actor.session.id, actor.session.userId, actor)
        clearSessionCookie(set, cookie)
        set.status = 204
      },
      { machineAuthSession: true, response: { 204: t.Void() }, detail: { tags, summary: 'Log out' } },
    )
    .delete(
      `${prefix}/sessions/:id`,
      async ({ params: { id }, actor, set }) => {
        await sessions.end(id, actor.user.id, actor)
        set.status = 204
      },
      {
        machineAuthUser: true,
        params: t.Object({ id: SessionId }),
        response: { 204: t.Void() },
        detail: { ...refusing(404), tags, summary: 'End one of your own sessions' },
      },
    )
}
