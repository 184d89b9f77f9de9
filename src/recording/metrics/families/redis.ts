/** Metrics of what processes share by Redis, and of who tells them of changes. */
import type { Family } from '../family.ts'
import type { RedisCounts } from '../redis-counts.ts'

/** How decisions about shared limits came about. */
export const DECIDED_BY = ['shared', 'remembered', 'local', 'unavailable'] as const

export interface RedisSources {
  readonly link: { readonly isUp: boolean }
  /** Null where each process counts for itself. */
  readonly limits: { readonly figures: Readonly<Record<(typeof DECIDED_BY)[number], number>> } | null
}

export function redisFamilies({ link, limits }: RedisSources, counts: RedisCounts): readonly Family[] {
  return [
    {
      type: 'gauge',
      name: 'machine_auth_redis_up',
      help: '1 while Redis is connected and answers in time.',
      read: () => [{ value: Number(link.isUp) }],
    },
    {
      type: 'histogram',
      name: 'machine_auth_redis_duration_seconds',
      help: 'Time that Redis took for one call, until it was answered or given up.',
      read: () => [{ distribution: counts.durations }],
    },
    {
      type: 'counter',
      name: 'machine_auth_redis_errors_total',
      help: 'Calls that Redis did not answer in time or refused; while it is known to be away none are made.',
      read: () => [{ value: counts.failures }],
    },
    ...(limits === null ? [] : [limitFamily(limits)]),
  ]
}

export function bellFamily(bell: { readonly isHeard: boolean }): Family {
  return {
    type: 'gauge',
    name: 'machine_auth_change_bell_up',
    help: '1 while changes by other processes are heard at once; they are read within a second all the same.',
    read: () => [{ value: Number(bell.isHeard) }],
  }
}

function limitFamily(limits: NonNullable<RedisSources['limits']>): Family {
  return {
    type: 'counter',
    name: 'machine_auth_shared_limit_decisions_total',
    help: 'Decisions about limits that processes share, by how they came about.',
    labels: ['by'],
    read: () => DECIDED_BY.map((by) => ({ labels: { by }, value: limits.figures[by] })),
  }
}
