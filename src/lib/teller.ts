/** Tells one line after the other, also where it must first be found out what to say. */
export class Teller {
  readonly #warn: (message: string) => void
  #last: Promise<void> = Promise.resolve()

  /** @param warn hears each line */
  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** One that is still being found out is waited for, so that none overtakes another. */
  tell(message: string | Promise<string>): void {
    this.#last = this.#last.then(async () => this.#warn(await message)).catch(() => undefined)
  }

  /** Resolves when everything was told so far. */
  get told(): Promise<void> {
    return this.#last
  }
}
