/** What a request is told to, to be counted. */
export interface UsageCounter {
  /**
   * Counts a guarded request. Never waits, never throws.
   *
   * Its arguments stay single ones, in this order, all the way to the counter or the file: an object for them would be
   * made for every request, and is more than counting it costs.
   *
   * @param keyId of the key it came by; empty for none
   * @param organizationId empty for none
   * @param route its pattern; empty where none was found
   * @param elapsed ms
   * @param isUse whether the key was used as of `touch`; with it there is no need to call that
   */
  count(
    keyId: string,
    organizationId: string,
    method: string,
    route: string,
    status: number,
    elapsed: number,
    isUse?: boolean,
  ): void
  /** Notes that a key was used: that its text was right, and it may be used. */
  touch(keyId: string): void
}
