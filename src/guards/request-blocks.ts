/** Holds requests to blocks and lockouts. */
import type { Principal } from '../authentication/principal.ts'
import type { MachineAuthError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { BlockIndex, BlockPlace } from '../limits/block-index.ts'
import type { CompiledRate } from '../limits/policy.ts'
import type { LimitMeter, LimitName } from '../recording/metrics/meter.ts'
import type { BlockRecord } from '../storage/records.ts'
import { principalSubjects } from './limit-subject.ts'
import type { Presented } from './presented.ts'

/** What a lockout blocks. */
export type StartBlock = (
  block: Pick<BlockRecord, 'kind' | 'subject' | 'scope' | 'path' | 'reason' | 'expiresAt'>,
) => void

export interface RequestBlocksOptions {
  readonly clock: Clock
  readonly blocks: BlockIndex
  readonly startBlock: StartBlock
  /** Null where nobody measures. */
  readonly meter: LimitMeter | null
}

/** A limit that refused a request. */
export interface Excess {
  readonly policy: CompiledRate | null
  readonly subject: string
  /** ms */
  readonly wait: number
  /** Whether it was refused for what it took itself, and not for what others took in a flood. */
  readonly isOwn: boolean
}

/** By what a block is for. */
const BLOCKS: Readonly<Record<BlockRecord['kind'], LimitName>> = { manual: 'block', abuse: 'abuse', lockout: 'lockout' }

function placeOf({ request, route }: Presented): BlockPlace {
  return { url: request.url, route }
}

export class RequestBlocks {
  readonly #options: RequestBlocksOptions

  constructor(options: RequestBlocksOptions) {
    this.#options = options
  }

  /** As `RequestLimits.refuseAddress`. */
  refuseAddress(presented: Presented): MachineAuthError | null {
    const { blocks, clock } = this.#options
    if (blocks.concernsAddresses) {
      const now = clock()
      const block = blocks.findForAddress(presented.address, placeOf(presented), now)
      if (block !== null) return this.#refuseFor(presented, block, now)
    }
    return null
  }

  /** As `LimitsPort.requireUnblockedRoute`. */
  requireUnblockedRoute(presented: Presented, route: string): void {
    const { blocks, clock } = this.#options
    if (!blocks.concernsAddresses) return
    const now = clock()
    const block = blocks.findForAddress(presented.address, { url: presented.request.url, route }, now)
    if (block !== null) throw this.#refuseFor(presented, block, now)
  }

  /** As `LimitsPort.requireUnblocked`. */
  requireUnblocked(presented: Presented, principal: Principal): void {
    const { blocks, clock } = this.#options
    if (blocks.size === 0) return
    const place = placeOf(presented)
    const now = clock()
    for (const subject of principalSubjects(principal)) {
      const block = blocks.find(subject, place, now)
      if (block !== null) throw this.#refuseFor(presented, block, now)
    }
  }

  /**
   * Demands that a limit has not locked its subject out. Addresses were looked at before the request came this far.
   *
   * @throws MachineAuthError `locked_out`, `address_blocked`
   */
  requireNotLockedOut(presented: Presented, subject: string, route: string | null, now: number): void {
    const { blocks } = this.#options
    if (blocks.size === 0 || subject.startsWith('ip:')) return
    const block = blocks.find(subject, { url: presented.request.url, route }, now)
    if (block !== null) throw this.#refuseFor(presented, block, now)
  }

  /** Whether `requireNotLockedOut` will refuse. */
  isLockedOut({ request }: Presented, subject: string, route: string | null): boolean {
    const { blocks, clock } = this.#options
    if (blocks.size === 0 || subject.startsWith('ip:')) return false
    return blocks.find(subject, { url: request.url, route }, clock()) !== null
  }

  /** Whether `requireUnblocked` will refuse a principal on a route. */
  keepsOut({ request }: Presented, principal: Principal, route: string | null): boolean {
    const { blocks, clock } = this.#options
    if (blocks.size === 0) return false
    const place = { url: request.url, route }
    return principalSubjects(principal).some((subject) => blocks.find(subject, place, clock()) !== null)
  }

  /** The answer to whom a block keeps out: a lockout of a limit is a matter of waiting, the others are a refusal. */
  #refuseFor(presented: Presented, block: BlockRecord, now: number): MachineAuthError {
    this.#options.meter?.decision(BLOCKS[block.kind], false)
    presented.isGuarded = true
    const retryAfter = (block.expiresAt - now) / 1000
    if (block.kind === 'lockout') return presented.refuse('locked_out', { retryAfter })
    const isAddress = block.subject.startsWith('ip:') || block.subject.startsWith('range:')
    const detail = isAddress ? {} : { detail: 'Whom this credential speaks for is blocked.' }
    return presented.refuse('address_blocked', { retryAfter, ...detail })
  }

  /** The answer to whom a limit refused; locks its subject out where the limit says so. */
  refuseExcess(
    presented: Presented,
    { policy, subject, wait, isOwn }: Excess,
    route: string | null,
    now: number,
  ): MachineAuthError {
    presented.isGuarded = true
    const isExempt = subject.startsWith('ip:') && this.#options.blocks.exempts(presented.address)
    const lockout = policy?.lockout ?? null
    if (lockout === null || isExempt || !isOwn) return presented.refuse('rate_limited', { retryAfter: wait / 1000 })
    const expiresAt = lockout(now)
    const isGlobal = policy?.scope === 'global' || route === null
    const place = isGlobal ? ({ scope: 'global', path: '' } as const) : ({ scope: 'path', path: route } as const)
    this.#options.startBlock({ kind: 'lockout', subject, ...place, reason: null, expiresAt })
    return presented.refuse('locked_out', { retryAfter: (expiresAt - now) / 1000 })
  }
}
