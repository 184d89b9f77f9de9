/**
 * `heard` after each connection that listens, `lost` while it comes back by itself, `ended` when it does not and must be
 * asked for anew.
 */
export type ListenState = 'heard' | 'lost' | 'ended'

/**
 * Hears what other processes tell of changes, until what it answers is called. It comes back by itself after its
 * connection was lost, and hears nothing of what was told meanwhile. Rejects where nothing would be heard, as behind a
 * pooler.
 */
export type Listen = (
  hear: (payload: string) => void,
  onState?: (state: ListenState) => void,
) => Promise<() => Promise<void>>
