/** Metrics of the database, as the library sees it. */

import type { PortName } from '../../../storage/observed.ts'
import type { Family } from '../family.ts'
import type { StorageCounts } from '../storage-counts.ts'

/** As label values are written: `signing_keys`. */
const labelOf = (port: PortName) => port.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export function storageFamilies({ ports }: StorageCounts): readonly Family[] {
  return [
    {
      type: 'histogram',
      name: 'machine_auth_storage_duration_seconds',
      help: 'Time that the database took for one operation, by what it is about.',
      labels: ['port'],
      read: () =>
        [...ports].map(([port, { durations: distribution }]) => ({
          labels: { port: labelOf(port) },
          distribution,
        })),
    },
    {
      type: 'counter',
      name: 'machine_auth_storage_errors_total',
      help: 'Operations that failed because the database did not answer or refused them, by what they are about.',
      labels: ['port'],
      read: () => [...ports].map(([port, { failures }]) => ({ labels: { port: labelOf(port) }, value: failures })),
    },
  ]
}
