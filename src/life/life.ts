/** Where a core is between its making and its end. */

/** `failed`: it could not be started, and whatever still serves answers for nothing. */
export type LifeState = 'starting' | 'ready' | 'failed' | 'draining' | 'closed'

/** What may follow; there is no way back. */
const NEXT: Readonly<Record<LifeState, readonly LifeState[]>> = {
  starting: ['ready', 'failed', 'draining', 'closed'],
  ready: ['draining', 'closed'],
  failed: ['draining', 'closed'],
  draining: ['closed'],
  closed: [],
}

export class Life {
  #state: LifeState = 'starting'
  /** A field and no getter: every request looks at it. */
  isStopping = false
  readonly #closed = Promise.withResolvers<void>()
  /** Resolves when everything was written and closed. */
  readonly closed: Promise<void> = this.#closed.promise

  get state(): LifeState {
    return this.#state
  }

  /** Goes on to a state; does nothing where that is no way forward. */
  become(state: Exclude<LifeState, 'starting'>): void {
    if (!NEXT[this.#state].includes(state)) return
    this.#state = state
    this.isStopping = state === 'draining' || state === 'closed'
    if (state === 'closed') this.#closed.resolve()
  }
}
