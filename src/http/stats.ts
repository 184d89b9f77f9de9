/** `/stats`: the figures of the whole installation. */
import type { UsageService } from '../recording/usage/service.ts'
import { createEndpoints, refusing } from './base.ts'
import { Stats, StatsQuery } from './models/stats.ts'
import type { MountPoint } from './mount-point.ts'

export function createStatsEndpoint(prefix: string, mount: MountPoint, usage: UsageService) {
  return createEndpoints('stats', mount).get(`${prefix}/stats`, ({ actor }) => usage.stats(actor), {
    machineAuthManagement: 'machine_auth.stats.view',
    query: StatsQuery,
    response: { 200: Stats },
    detail: {
      ...refusing(422),
      tags: ['Usage'],
      summary: 'Show the figures of the installation',
      description: 'Organizations, keys, requests and the most used keys. Needs platform reach.',
    },
  })
}
