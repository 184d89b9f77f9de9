/**
 * Counts uses that are kept across restarts (monthly quotas, credits) without asking storage on every request.
 *
 * The ledger claims uses from storage ahead, a hundredth of what is left at a time, and hands them out one by one. What
 * storage holds as used is therefore never too little: a process that is killed can lose the few it had claimed, but
 * no request beyond the limit is ever let through, however many processes there are.
 */

/** What a claim brought. */
export interface Claimed {
  /** How many there are left in storage after it. */
  readonly left: number
  /** Of the number it was claimed of; moves when storage is given another one. */
  readonly version: number
}

/** Where one kind of use is kept. */
export interface Budget {
  /** Names the count; another period is another count. */
  readonly id: string
  /** The most there can be; null where storage alone knows. */
  readonly limit: number | null
  /** Takes `amount` if that many are left; null when they are not. */
  claim(amount: number): Promise<Claimed | null>
  /** Writes nothing when storage has been given another number since `version`. */
  giveBack(amount: number, version: number): Promise<void>
  /** When more comes, ms; null when that is another budget's matter, or never. */
  nextRefill(now: number): number | null
}

interface Account {
  /** The newest: a raised limit counts at once. */
  budget: Budget
  /** Claimed, and not handed out. */
  unused: number
  /** What the unused were claimed of; null when storage was given another number, or may have been. */
  version: number | null
  /** Left in storage when it was last asked; decides how much is claimed at once. */
  left: number
  /** Storage had none left; until then (ms) it is not asked again. */
  emptyUntil: number
  claiming: Promise<void> | null
  /** Callers of a claim, who are yet to take from what it brings. */
  waiting: number
  /** When it was last asked for, ms. */
  usedAt: number
  /** How many times storage was given another number, or may have been. */
  forgotten: number
}

/** ms for which "none left" is believed: others may give some back, or the limit may be raised. */
const EMPTY_FOR = 1000
/** ms after which claimed uses that nobody wants go back. */
const IDLE = 10_000
const MOST_AT_ONCE = 1000

export class QuotaLedger {
  readonly #accounts = new Map<string, Account>()
  readonly #returning = new Set<Promise<void>>()

  #accountOf(budget: Budget): Account {
    const known = this.#accounts.get(budget.id)
    if (known !== undefined) return known
    const none = { unused: 0, left: 0, emptyUntil: 0, waiting: 0, usedAt: 0, forgotten: 0 }
    const account: Account = { budget, version: null, claiming: null, ...none }
    this.#accounts.set(budget.id, account)
    return account
  }

  /**
   * Takes one use: at once where one was claimed before, else when storage has answered.
   *
   * @param now epoch ms
   * @returns whether there was one; of any number of racing callers no more than there were
   */
  take(budget: Budget, now: number): boolean | Promise<boolean> {
    return this.takeClaimed(budget, now) ?? this.#takeLater(this.#accountOf(budget), now)
  }

  /** As `take`, waiting for nobody; null where only storage knows. @param now epoch ms */
  takeClaimed(budget: Budget, now: number): boolean | null {
    const account = this.#accountOf(budget)
    this.#renew(account, budget)
    account.usedAt = now
    if (account.unused > 0) {
      account.unused -= 1
      return true
    }
    return now < account.emptyUntil ? false : null
  }

  /** Claims for those who come later; waits for nothing, and asks once however often it is called meanwhile. */
  claimAhead(budget: Budget, now: number): void {
    const account = this.#accountOf(budget)
    if (account.claiming !== null) return
    void this.#takeLater(account, now).then(
      (isTaken) => isTaken && this.release(budget, account.version),
      () => undefined,
    )
  }

  /** What was claimed under a higher limit goes back: a lowered one counts at once. */
  #renew(account: Account, budget: Budget): void {
    const before = account.budget.limit
    account.budget = budget
    if (before === null || budget.limit === null || budget.limit >= before || account.unused === 0) return
    this.#giveAllBack(account)
  }

  #giveAllBack(account: Account): void {
    const { budget, unused, version } = account
    account.unused = 0
    account.left = 0
    this.#giveBackLater(budget, unused, version)
  }

  /** What fails is lost, as in `settle`; and what is of no known number is nobody's. */
  #giveBackLater(budget: Budget, amount: number, version: number | null): void {
    if (amount === 0 || version === null) return
    const returning = budget.giveBack(amount, version).catch(() => undefined)
    this.#returning.add(returning)
    void returning.then(() => this.#returning.delete(returning))
  }

  async #takeLater(account: Account, now: number): Promise<boolean> {
    account.waiting += 1
    try {
      // Whoever waits for the same claim may find it used up, and claims again.
      while (account.unused === 0) {
        if (now < account.emptyUntil) return false
        account.claiming ??= this.#claim(account, now).finally(() => {
          account.claiming = null
        })
        await account.claiming
      }
      account.unused -= 1
      return true
    } finally {
      account.waiting -= 1
    }
  }

  async #claim(account: Account, now: number): Promise<void> {
    const { forgotten } = account
    const wanted = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(account.left / 100)))
    if (await this.#claimExactly(account, wanted)) return
    // Others took some meanwhile: one may still be there.
    if (wanted > 1 && (await this.#claimExactly(account, 1))) return
    // That there were none left was true of the number before.
    if (account.forgotten !== forgotten) return
    account.left = 0
    account.emptyUntil = Math.min(now + EMPTY_FOR, account.budget.nextRefill(now) ?? Number.POSITIVE_INFINITY)
  }

  async #claimExactly(account: Account, amount: number): Promise<boolean> {
    const { forgotten } = account
    const { budget } = account
    const claimed = await budget.claim(amount)
    if (claimed === null) return false
    const { left, version } = claimed
    // What was released meanwhile is of a number that storage has no more.
    if (account.version !== version) account.unused = 0
    account.version = version
    if (account.forgotten === forgotten) {
      account.left = left
      account.unused += amount
      return true
    }
    // Perhaps of the number before: for those who came before it was changed, and nobody else.
    const kept = Math.min(amount, account.waiting)
    account.unused += kept
    this.#giveBackLater(budget, amount - kept, version)
    return true
  }

  /**
   * Gives back a use that was taken and not needed.
   *
   * @param version what `versionOf` said when it was taken
   */
  release(budget: Budget, version: number | null): void {
    const account = this.#accountOf(budget)
    account.emptyUntil = 0
    // Of a number that was changed since, perhaps: only storage knows.
    if (account.version === version && version !== null) account.unused += 1
    else this.#giveBackLater(budget, 1, version)
  }

  /** Of the number that uses are handed out from; null when nobody knows. */
  versionOf(id: string): number | null {
    return this.#accounts.get(id)?.version ?? null
  }

  /** How many can still be handed out, as far as storage last said; null for a budget nobody has asked for lately. */
  leftOf(id: string): number | null {
    const account = this.#accounts.get(id)
    return account === undefined ? null : account.left + account.unused
  }

  /** How many were claimed and are still to be used: storage counts them as used. */
  unusedOf(id: string): number {
    return this.#accounts.get(id)?.unused ?? 0
  }

  /** Hands out nothing more of what was claimed: storage was given another number, or may have been. */
  forget(id: string): void {
    const account = this.#accounts.get(id)
    if (account === undefined) return
    this.#giveAllBack(account)
    account.version = null
    account.emptyUntil = 0
    account.forgotten += 1
  }

  /** As `forget`, for every budget whose id begins so. */
  forgetAll(start: string): void {
    for (const id of this.#accounts.keys()) if (id.startsWith(start)) this.forget(id)
  }

  /**
   * Gives back what nobody has asked for lately. What fails is lost, not kept: it may have taken effect all the same, and
   * nothing may be used twice.
   *
   * @param now epoch ms; `Infinity` gives back everything, when those who wait for a claim have been served
   */
  async settle(now: number): Promise<void> {
    if (now === Number.POSITIVE_INFINITY) await this.#serveWaiting()
    // What a claim has just brought is for those who wait for it.
    const idle = [...this.#accounts].filter(([, each]) => each.usedAt + IDLE <= now && each.waiting === 0)
    for (const [id] of idle) this.#accounts.delete(id)
    await Promise.all([
      ...this.#returning,
      ...idle.map(([, { unused, version, budget }]) =>
        unused > 0 && version !== null ? budget.giveBack(unused, version) : undefined,
      ),
    ])
  }

  /** Each answer serves one at least of those who wait, so that whoever comes later is not waited for. */
  async #serveWaiting(): Promise<void> {
    const accounts = [...this.#accounts.values()]
    for (let left = accounts.reduce((sum, { waiting }) => sum + waiting, 0); left > 0; left -= 1) {
      const claims = accounts.flatMap(({ claiming }) => claiming ?? [])
      if (claims.length === 0) return
      await Promise.allSettled(claims)
    }
  }
}
