/** Blocks: made by people and by limits, in force at once, kept until they end. */
import { type Actor, requirePlatform, SYSTEM } from '../authorization/actor.ts'
import { generateId } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import type { BlockIndex } from '../limits/block-index.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { AuditActor } from '../recording/audit/event.ts'
import type { BlockStore } from '../storage/ports/blocks.ts'
import type { Page } from '../storage/ports/page.ts'
import type { BlockRecord } from '../storage/records.ts'
import { type NewBlock, resolveNewBlock } from './new-block.ts'
import { Removals } from './removals.ts'
import { type BlockView, toBlockView } from './views.ts'

/** A block that the library makes by itself. */
export type AutomaticBlock = Pick<BlockRecord, 'kind' | 'subject' | 'scope' | 'path' | 'reason' | 'expiresAt'>

export interface BlockServiceOptions {
  readonly store: BlockStore
  readonly index: BlockIndex
  readonly clock: Clock
  readonly audit: Pick<AuditLog, 'record' | 'recordDenied'>
  /** Lets a subject that is freed start anew at every limit; else its next request would block it again. */
  readonly forget: (subject: string) => void
  readonly warn: (message: string) => void
}

/** Automatic blocks in force at once; beyond it the limits themselves still refuse, one request at a time. */
const MOST_AUTOMATIC = 100_000
/** ms between looks for ended ones when there is no room: each goes through all of them. */
const LOOK_INTERVAL = 10_000

export class BlockService {
  readonly #options: BlockServiceOptions
  readonly #writing = new Set<Promise<void>>()
  /** Blocks that storage does not hold (yet): what it lists says nothing of them. */
  readonly #unstored = new Set<string>()
  readonly #removals = new Removals()
  /** When there was last found to be no room for automatic blocks, ms. */
  #fullAt = Number.NEGATIVE_INFINITY

  constructor(options: BlockServiceOptions) {
    this.#options = options
  }

  /**
   * Blocks an address, range, key, user or organization: it gets 403 `address_blocked` until the block ends.
   *
   * @throws MachineAuthError `validation_failed`, also for an address of the allow-list; `permission_required` without
   * platform reach
   * @example await core.blocks.add({ subject: '203.0.113.5', duration: '24h', reason: 'scraping' })
   */
  async add(input: NewBlock, actor: Actor = SYSTEM): Promise<BlockView> {
    requirePlatform(actor)
    return this.addChecked(input, actor)
  }

  /** As `add`, for what a handler of the app decides. */
  async addChecked(input: NewBlock, actor: AuditActor, isOwnRoute = false): Promise<BlockView> {
    const { index, clock, audit } = this.#options
    const now = clock()
    const checked = resolveNewBlock(input, (address) => index.exempts(address), now, isOwnRoute)
    const block = this.#compose({ ...checked, kind: 'manual' }, actor.id, now)
    const standing = await this.#enforce(block)
    const view = toBlockView(standing)
    const { id, subject, scope, path, reason, expiresAt } = view
    await audit.record({
      action: 'block.created',
      actor,
      subject: id,
      details: { subject, scope, path, reason, expiresAt },
    })
    return view
  }

  /** Blocks in force, newest first. */
  async list(page: PageInput = {}, actor: Actor = SYSTEM): Promise<Page<BlockView>> {
    requirePlatform(actor)
    const { store, clock } = this.#options
    const { items, nextCursor } = await store.list(resolvePage(page), clock())
    return { items: items.map(toBlockView), nextCursor }
  }

  /** @throws MachineAuthError `not_found` for a block that has ended too */
  async find(id: string, actor: Actor = SYSTEM): Promise<BlockView> {
    requirePlatform(actor)
    const block = await this.#options.store.find(id)
    if (block === null || block.expiresAt <= this.#options.clock()) throw new MachineAuthError('not_found')
    return toBlockView(block)
  }

  /**
   * Ends a block; its subject is served from the next request on, and counts from zero.
   *
   * @throws MachineAuthError `not_found`; `permission_required` without platform reach
   */
  async remove(id: string, actor: Actor = SYSTEM): Promise<BlockView> {
    requirePlatform(actor)
    const { store, audit } = this.#options
    // One that was just made is waited for, so that its row does not appear after it was removed.
    await this.settle()
    const stored = await store.delete(id)
    const inForce = this.#free(id) ?? this.#freeSamePlace(stored)
    const removed = stored ?? inForce
    if (removed === null) throw new MachineAuthError('not_found')
    // Also when it was heard of meanwhile that it is gone.
    this.#options.forget(removed.subject)
    const view = toBlockView(removed)
    await audit.record({ action: 'block.removed', actor, subject: id, details: { subject: view.subject } })
    return view
  }

  /** Blocks at once, without waiting for storage. */
  start(automatic: AutomaticBlock): void {
    const { clock, warn } = this.#options
    const now = clock()
    if (!this.#hasRoom(now)) return
    const block = this.#compose(automatic, SYSTEM.id, now)
    const writing = this.#enforce(block).then(
      (standing) => this.#noteAutomatic(standing),
      () => warn(`a block could not be stored and ends with this process: ${block.id}`),
    )
    this.#writing.add(writing)
    void writing.finally(() => this.#writing.delete(writing))
  }

  #hasRoom(now: number): boolean {
    const { index, warn } = this.#options
    if (index.size < MOST_AUTOMATIC) return true
    if (Math.abs(now - this.#fullAt) < LOOK_INTERVAL) return false
    index.sweep(now)
    if (index.size < MOST_AUTOMATIC) return true
    this.#fullAt = now
    warn(`${MOST_AUTOMATIC} blocks are in force: no further ones are made by themselves`)
    return false
  }

  #noteAutomatic(block: BlockRecord): Promise<void> {
    const { id, kind, subject, scope, path, expiresAt } = toBlockView(block)
    const details = { kind, subject, scope, path, expiresAt }
    return this.#options.audit.recordDenied({ action: 'block.created', actor: SYSTEM, subject: id, details })
  }

  #compose(checked: AutomaticBlock, createdBy: string, now: number): BlockRecord {
    return { ...checked, id: generateId('blk'), createdBy, createdAt: now }
  }

  /** In memory first: what storage takes its time for, or refuses, is blocked here all the same. */
  async #enforce(block: BlockRecord): Promise<BlockRecord> {
    const { index, store } = this.#options
    this.#unstored.add(block.id)
    // Nothing is shortened by one that storage may refuse.
    if (!index.outlasts(block)) index.put(block)
    const pending = this.#removals.begin()
    try {
      const standing = await store.put(block)
      this.#unstored.delete(block.id)
      // It takes the place of the one above, also under another id; unless it was removed before that was known here.
      if (pending.isRemoved(standing.id)) this.#freeHeard(block.id)
      else this.#hold(standing)
      return standing
    } finally {
      pending.end()
    }
  }

  /** Takes over what storage holds. Of two answers about one block the later end is the newer: ends only grow. */
  #hold(stored: BlockRecord): void {
    const { index } = this.#options
    const known = index.findSamePlace(stored)
    if (known?.id !== stored.id || known.expiresAt <= stored.expiresAt) index.put(stored)
  }

  /** In memory one that storage refused may stand in the place of the one that it holds. */
  #freeSamePlace(stored: BlockRecord | null): BlockRecord | null {
    const standing = stored === null ? null : this.#options.index.findSamePlace(stored)
    return standing === null ? null : this.#free(standing.id)
  }

  #free(id: string): BlockRecord | null {
    this.#unstored.delete(id)
    this.#removals.note(id)
    return this.#options.index.remove(id)
  }

  /** Frees what somebody else has lifted. */
  #freeHeard(id: string): void {
    const block = this.#free(id)
    // A process that knows no route, such as a command line, could not forget what is shared for the others.
    if (block !== null) this.#options.forget(block.subject)
  }

  /** Reads all blocks in force, at start and after changes of other processes were missed. */
  async load(): Promise<void> {
    const { store, index, clock } = this.#options
    // What is made or stored from here on may be missing in the answer.
    const before = [...index.all()].filter(({ id }) => !this.#unstored.has(id))
    const pending = this.#removals.begin()
    try {
      const stored = await store.listActive(clock())
      const ids = new Set(stored.map(({ id }) => id))
      for (const { id } of before) if (!ids.has(id)) this.#freeHeard(id)
      for (const block of stored) if (!pending.isRemoved(block.id)) this.#hold(block)
    } finally {
      pending.end()
    }
  }

  /** Hears that a block was made, prolonged or removed by another process. */
  async refresh(id: string): Promise<void> {
    const pending = this.#removals.begin()
    try {
      const block = await this.#options.store.find(id)
      if (block === null) this.#freeHeard(id)
      else if (!pending.isRemoved(id)) this.#hold(block)
    } finally {
      pending.end()
    }
  }

  /** Forgets what has ended. */
  async sweep(now: number): Promise<void> {
    const { index } = this.#options
    index.sweep(now)
    const left = new Set([...index.all()].map(({ id }) => id))
    for (const id of this.#unstored) if (!left.has(id)) this.#unstored.delete(id)
    await this.#options.store.purge(now)
  }

  /** Resolves when everything that was blocked is stored. */
  async settle(): Promise<void> {
    await Promise.all(this.#writing)
  }
}
