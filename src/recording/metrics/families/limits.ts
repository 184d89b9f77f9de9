/** Metrics of what limits decide. */
import type { Family } from '../family.ts'
import type { LimitCounts } from '../limit-counts.ts'
import { BLOCKING_LIMITS, COUNTING_LIMITS } from '../meter.ts'

export function limitFamilies({ allowed, refused }: LimitCounts): readonly Family[] {
  return [
    {
      type: 'counter',
      name: 'machine_auth_limit_decisions_total',
      help: 'Decisions of rate limits, quotas and throttles, by kind of limit; of blocks only those that refuse.',
      labels: ['limit', 'decision'],
      read: () => [
        ...COUNTING_LIMITS.map((limit) => ({ labels: { limit, decision: 'allowed' }, value: allowed[limit] })),
        ...[...COUNTING_LIMITS, ...BLOCKING_LIMITS].map((limit) => ({
          labels: { limit, decision: 'refused' },
          value: refused[limit],
        })),
      ],
    },
  ]
}
