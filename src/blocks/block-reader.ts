/** Keeps what this process knows of the stored blocks as the database has it. */
import type { BlockService } from './service.ts'

/** ms before blocks that could not be read are read again. */
const RETRY = 250

export class BlockReader {
  readonly #blocks: Pick<BlockService, 'load' | 'refresh'>
  readonly #warn: (message: string) => void
  #isWanted = false
  #reading: Promise<void> | undefined
  #resume: () => void = () => undefined
  #isStopped = false

  constructor(blocks: Pick<BlockService, 'load' | 'refresh'>, warn: (message: string) => void) {
    this.#blocks = blocks
    this.#warn = warn
  }

  /**
   * Hears that a block was made, prolonged or removed by another process. Never rejects: it tries until it succeeds,
   * since nobody is told twice.
   */
  async hear(id: string): Promise<void> {
    await this.#blocks.refresh(id).catch(() => this.readAll())
  }

  /** Reads all blocks, until it succeeds or is stopped; until then those that were known before stay in force. */
  readAll(): Promise<void> {
    // A reading that has begun may not see what is asked for now.
    this.#isWanted = true
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    let failures = 0
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false
      const isRead = await this.#blocks.load().then(
        () => true,
        () => false,
      )
      if (isRead || this.#isStopped) continue
      this.#isWanted = true
      failures += 1
      if (failures === 1) this.#warn('blocks could not be read: until they are, those of other processes are not known')
      await this.#pause()
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY)
      timer.unref()
      this.#resume = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#resume()
  }
}
