/** Which of several sessions a request came with. */
import type { Principal } from '../authentication/principal.ts'
import type { SessionView } from '../sessions/service.ts'

/** Sessions, each with whether it is the one that speaks for the caller. */
export function withCurrent(sessions: readonly SessionView[], actor: Principal) {
  const currentId = actor.kind === 'session' ? actor.session.id : null
  return sessions.map((session) => ({ ...session, current: session.id === currentId }))
}
