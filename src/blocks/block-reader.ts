/** Keeps what this process knows of the stored blocks as the database has it. */
import { Rereader } from '../lib/rereader.ts'
import type { BlockService } from './service.ts'

/** ms in which what is heard is read together. */
const GATHERING = 5
/** The same where all of them are read. */
const GATHERING_ALL = 50
/** Blocks that are read one by one; all of them are read instead where more were heard of. */
const HANDFUL = 8

export class BlockReader {
  readonly #blocks: Pick<BlockService, 'load' | 'refresh'>
  readonly #rereader: Rereader
  readonly #heard = new Set<string>()
  #mustReadAll = false
  #isStopped = false

  constructor(blocks: Pick<BlockService, 'load' | 'refresh'>, warn: (message: string) => void) {
    this.#blocks = blocks
    this.#rereader = new Rereader(
      () => this.#read(),
      () => warn('blocks could not be read: until they are, those of other processes are not known'),
    )
  }

  /**
   * Hears that a block was made, prolonged or removed by another process. Never rejects: it tries until it succeeds,
   * since nobody is told twice. However many it hears of, the database is asked one thing at a time.
   */
  hear(id: string): Promise<void> {
    if (this.#heard.size < HANDFUL) this.#heard.add(id)
    else if (!this.#heard.has(id)) this.#mustReadAll = true
    return this.#rereader.readSoon()
  }

  /** Reads all blocks, until it succeeds or is stopped; until then those that were known before stay in force. */
  readAll(): Promise<void> {
    this.#mustReadAll = true
    return this.#rereader.readSoon()
  }

  async #read(): Promise<void> {
    if (!this.#mustReadAll && this.#heard.size === 0) return
    await Bun.sleep(GATHERING)
    // While very many are made, whoever reads them all must not do so without end.
    if (this.#mustReadAll) await Bun.sleep(GATHERING_ALL)
    if (this.#isStopped) return
    const ids = [...this.#heard]
    const isAll = this.#mustReadAll
    this.#heard.clear()
    this.#mustReadAll = false
    if (!isAll && (await this.#refresh(ids))) return
    try {
      await this.#blocks.load()
    } catch (error) {
      this.#mustReadAll = true
      throw error
    }
  }

  /** Reads these, one after the other; answers whether it could. */
  async #refresh(ids: readonly string[]): Promise<boolean> {
    try {
      for (const id of ids) await this.#blocks.refresh(id)
      return true
    } catch {
      return false
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#rereader.stop()
  }
}
