export interface QuotaClaim {
  readonly subject: string
  /** Such as `2030-01`. */
  readonly period: string
  /** 1 or more. */
  readonly amount: number
  readonly limit: number
}

export interface QuotaStore {
  /**
   * Adds `amount` to what is used while the sum stays within `limit`, in one statement: answers what is used
   * afterwards, or null, and nothing is taken, when it does not fit. Of 100 racing callers for the last unit exactly
   * one receives a number, and no two receive the same.
   */
  claim(claim: QuotaClaim): Promise<number | null>
  /** Lowers what is used, never below 0. Nothing is lost when callers race. */
  giveBack(subject: string, period: string, amount: number): Promise<void>
  /** 0 when nothing was claimed. */
  used(subject: string, period: string): Promise<number>
  /** Deletes every period before `beforePeriod`, compared as text; answers how many rows. */
  purge(beforePeriod: string): Promise<number>
}
