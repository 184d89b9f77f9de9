/** Keeps what this process knows of the stored blocks as the database has it. */
import { Rereader } from '../lib/rereader.ts'
import type { BlockService } from './service.ts'

export class BlockReader {
  readonly #blocks: Pick<BlockService, 'load' | 'refresh'>
  readonly #rereader: Rereader

  constructor(blocks: Pick<BlockService, 'load' | 'refresh'>, warn: (message: string) => void) {
    this.#blocks = blocks
    this.#rereader = new Rereader(
      () => blocks.load(),
      () => warn('blocks could not be read: until they are, those of other processes are not known'),
    )
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
    return this.#rereader.readSoon()
  }

  stop(): void {
    this.#rereader.stop()
  }
}
