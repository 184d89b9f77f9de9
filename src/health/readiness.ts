/** Whether a core may be sent requests, and how its parts are. Says nothing that a stranger may not know. */
import type { Life, LifeState } from '../life/life.ts'
import type { DatabaseHealth, DatabaseProbe } from './database-probe.ts'

/** A part without which requests are answered all the same. */
export interface PartHealth {
  readonly status: 'up' | 'degraded'
}

export type ReadinessStatus = 'ready' | 'starting' | 'draining' | 'unavailable'

export interface Readiness {
  readonly status: ReadinessStatus
  /** Parts that are switched off are not named. */
  readonly components: { readonly database: DatabaseHealth } & Readonly<Record<string, PartHealth | DatabaseHealth>>
}

/** By the state of its life, what a core whose database answers is. */
const STATUS: Readonly<Record<LifeState, ReadinessStatus>> = {
  starting: 'starting',
  ready: 'ready',
  failed: 'unavailable',
  draining: 'draining',
  closed: 'draining',
}

export interface HealthOptions {
  readonly life: Pick<Life, 'state'>
  readonly database: Pick<DatabaseProbe, 'look'>
  /** By part, whether it does what it should; null where it is switched off. */
  readonly parts: Readonly<Record<string, () => boolean | null>>
}

export class Health {
  readonly #options: HealthOptions

  constructor(options: HealthOptions) {
    this.#options = options
  }

  /** Waits a second at most, for the database. Only it, the start and the end decide; never rejects. */
  async readiness(): Promise<Readiness> {
    const { life, database, parts } = this.#options
    const components = { database: await database.look() }
    const others = Object.entries(parts).flatMap(([name, isWell]) => {
      const well = isWell()
      return well === null ? [] : [[name, { status: well ? 'up' : 'degraded' }] as const]
    })
    const status = STATUS[life.state]
    return {
      status: status === 'ready' && components.database.status === 'down' ? 'unavailable' : status,
      components: { ...components, ...Object.fromEntries(others) },
    }
  }
}
