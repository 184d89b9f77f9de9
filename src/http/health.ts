/** `/health`: for load balancers and orchestrators, which ask without a credential. */
import type { Health } from '../health/readiness.ts'
import { createEndpoints } from './base.ts'
import { Liveness, NotReady, Ready } from './models/health.ts'
import type { MountPoint } from './mount-point.ts'

/** Below the prefix. They are answered before anything else is known, and whoever asks. */
export const PROBES = ['/health/live', '/health/ready'] as const

const [LIVE, READY] = PROBES
/** Seconds. */
const RETRY_AFTER = '1'

export function createHealthEndpoints(prefix: string, mount: MountPoint, health: Health) {
  return createEndpoints('health', mount)
    .get(prefix + LIVE, () => ({ status: 'live' as const }), {
      machineAuthPublic: true,
      response: { 200: Liveness },
      detail: {
        tags: ['Observing'],
        summary: 'Does the process answer?',
        description:
          'Always 200; whoever restarts what hangs asks here. Counts for no limit, and no block keeps it out.',
      },
    })
    .get(
      prefix + READY,
      async ({ set, status }) => {
        const { status: state, components } = await health.readiness()
        if (state === 'ready') return { status: state, components }
        set.headers['retry-after'] = RETRY_AFTER
        return status(503, { status: state, components })
      },
      {
        machineAuthPublic: true,
        response: { 200: Ready, 503: NotReady },
        detail: {
          tags: ['Observing'],
          summary: 'May requests be sent here?',
          description:
            'Load balancers ask here. 503 while starting, while draining, and when the database does not answer within a second; a part that is `degraded` is no reason. Without a database, credentials that were verified lately are still accepted for a while (`cluster.staleness`), and all others are refused with 503: a balancer that sends requests to unready processes when none is ready keeps those clients served. Counts for no limit, and no block keeps it out.',
        },
      },
    )
}
