/** The connection to Redis, as far as limits need it. */
export interface Link {
  /** Whether it is connected, where that is known. */
  readonly isUp?: boolean
  /** Rejects when no answer comes in time, at once when it is known that none will come. */
  send(command: string, args: readonly string[]): Promise<unknown>
}
