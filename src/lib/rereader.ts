/** ms before what could not be read is read again. */
const PAUSE = 250

/**
 * Keeps a copy of what is stored as it is: reads it when told of a change, and again until it succeeds, since nobody is
 * told twice. Reads once at a time.
 */
export class Rereader {
  readonly #read: () => Promise<unknown>
  readonly #onFailure: () => void
  #isWanted = false
  #reading: Promise<void> | undefined
  #resume: () => void = () => undefined
  #isStopped = false

  /** @param onFailure hears of the first failure of each row of them; must not throw */
  constructor(read: () => Promise<unknown>, onFailure: () => void = () => undefined) {
    this.#read = read
    this.#onFailure = onFailure
  }

  /** Reads now, or once more after a reading under way. Resolves when it was read, or stopped; never rejects. */
  readSoon(): Promise<void> {
    // A reading that has begun may not see what is asked for now.
    this.#isWanted = true
    this.#reading ??= this.#readUntilDone()
    return this.#reading
  }

  async #readUntilDone(): Promise<void> {
    let failures = 0
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false
      try {
        await this.#read()
        failures = 0
      } catch {
        if (this.#isStopped) return
        this.#isWanted = true
        failures += 1
        if (failures === 1) this.#onFailure()
        await this.#pause()
      }
    }
    // At once: what is asked for from now on begins a reading of its own.
    this.#reading = undefined
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PAUSE).unref()
      this.#resume = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Ends what is tried; from then on nothing is read. */
  stop(): void {
    this.#isStopped = true
    this.#resume()
  }
}
