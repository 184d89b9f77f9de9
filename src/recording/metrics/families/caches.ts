/** Metrics of the memory of credentials that were verified lately. */
import type { CacheFigures } from '../../../lib/cache-figures.ts'
import type { Family, Sample } from '../family.ts'

/** By what is cached. */
export type Caches = () => Readonly<Record<'api_key' | 'imported_key' | 'jwt' | 'bearer' | 'session', CacheFigures>>

export function cacheFamilies(caches: Caches): readonly Family[] {
  const each = (sample: (figures: CacheFigures) => number): readonly Sample[] =>
    Object.entries(caches()).map(([cache, figures]) => ({ labels: { cache }, value: sample(figures) }))
  return [
    {
      type: 'counter',
      name: 'machine_auth_cache_lookups_total',
      help: 'Look-ups of well-formed credentials in memory; each miss is verified against storage.',
      labels: ['cache', 'result'],
      read: () =>
        Object.entries(caches()).flatMap(([cache, { hits, misses }]) => [
          { labels: { cache, result: 'hit' }, value: hits },
          { labels: { cache, result: 'miss' }, value: misses },
        ]),
    },
    {
      type: 'counter',
      name: 'machine_auth_cache_stale_total',
      help: 'Credentials that were believed from memory because the database, asked again, was away.',
      labels: ['cache'],
      read: () => each(({ stale }) => stale),
    },
    {
      type: 'counter',
      name: 'machine_auth_cache_evictions_total',
      help: 'Verified credentials that were forgotten to make room for others: many mean that the cache is too small.',
      labels: ['cache'],
      read: () => each(({ evictions }) => evictions),
    },
    {
      type: 'gauge',
      name: 'machine_auth_cache_entries',
      help: 'Verified credentials in memory.',
      labels: ['cache'],
      read: () => each(({ size }) => size),
    },
  ]
}
