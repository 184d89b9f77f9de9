/** Puts together what limits requests: counters, quotas, blocks, and who hears of them. */
import { LoginThrottle } from '../accounts/login-throttle.ts'
import { BlockReader } from '../blocks/block-reader.ts'
import { BlockService } from '../blocks/service.ts'
import type { ClaimedCredits } from '../keys/options.ts'
import type { KeyUsePort } from '../keys/verification.ts'
import type { Clock } from '../lib/clock.ts'
import { derive } from '../lib/crypto.ts'
import { createAddressMatcher } from '../lib/ip.ts'
import { parseLockout } from '../lib/lockout-end.ts'
import { AbuseGuard } from '../limits/abuse.ts'
import type { AttemptGate } from '../limits/attempt-gate.ts'
import { BlockIndex } from '../limits/block-index.ts'
import { KeyAllowances } from '../limits/key-allowance.ts'
import { Limiters } from '../limits/limiters.ts'
import { MasterKeyThrottle } from '../limits/master-key-throttle.ts'
import { monthOf } from '../limits/month.ts'
import { compilePolicies } from '../limits/policy.ts'
import { QuotaLedger } from '../limits/quota-ledger.ts'
import type { SharedLimits } from '../limits/shared-limits.ts'
import { addressSubject } from '../limits/subjects.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { LimitMeter } from '../recording/metrics/meter.ts'
import type { Storage } from '../storage/ports.ts'
import { createKeyUse } from './key-use.ts'
import { RequestLimits } from './request-limits.ts'

export interface LimitsOptions {
  readonly options: ResolvedOptions
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: AuditLog
  readonly warn: (message: string) => void
  readonly attempts: Pick<AttemptGate, 'forget'>
  /** Null where nobody measures. */
  readonly meter: LimitMeter | null
  /** Counts for all processes together; null where each counts for itself. */
  readonly shared: SharedLimits | null
}

export interface AssembledLimits {
  readonly requests: RequestLimits
  readonly blocks: BlockService
  readonly throttle: LoginThrottle
  readonly masterKeys: MasterKeyThrottle
  readonly keyUse: KeyUsePort
  readonly credits: ClaimedCredits
  /** Reads the blocks in force; until then nobody knows who is kept out. */
  start(): Promise<void>
  /** Hears of a block that another process made, prolonged or removed. */
  onBlockChange(id: string): void
  /** Reads all blocks again, after changes were missed. */
  onGap(): void
  /** Forgets what has ended long ago. @param now epoch ms */
  sweep(now: number): Promise<void>
  /** Writes down what is under way and gives back what was claimed. */
  stop(): Promise<void>
}

/** ms between looks for quotas that were claimed and are not wanted. */
const SETTLE_INTERVAL = 5000
const DAY = 86_400_000
/** ms that the address of a login is remembered for. */
const LOGIN_ADDRESS_RETENTION = 400 * DAY
/** ms: last month's quota is still looked at. */
const QUOTA_RETENTION = 32 * DAY

function createAbuseGuard(
  { options, clock, shared }: LimitsOptions,
  blocks: BlockService,
  index: BlockIndex,
): AbuseGuard | null {
  const { threshold, window, blockFor } = options.abuse
  if (threshold === null) return null
  const endOf = parseLockout(blockFor)
  return new AbuseGuard({
    threshold,
    window,
    shared,
    clock,
    capacity: options.rateLimit.maxSubjects,
    isExempt: (address) => index.exempts(address),
    block(subject, now) {
      const reason = `${threshold} wrong credentials`
      blocks.start({ kind: 'abuse', subject, scope: 'global', path: '', reason, expiresAt: endOf(now) })
    },
  })
}

export function createLimits(given: LimitsOptions): AssembledLimits {
  const { options, storage, clock, audit, warn, attempts, meter, shared } = given
  const { maxSubjects, strategy, headers, login, default: defaults } = options.rateLimit
  const index = new BlockIndex(createAddressMatcher(options.abuse.allow))
  const limiters = new Limiters(maxSubjects)
  const ledger = new QuotaLedger()
  const allowances = new KeyAllowances({
    maxSubjects,
    ledger,
    keys: storage.keys,
    quotas: storage.quotas,
    defaultRate: options.apiKeys.defaultRateLimit,
    strategy,
    meter,
  })
  const blocks = new BlockService({
    store: storage.blocks,
    index,
    clock,
    audit,
    warn,
    forget(subject) {
      limiters.forget(subject)
      attempts.forget(subject)
      allowances.forget(subject)
      abuse?.forgetHere(subject)
      shared?.forget(subject)
    },
  })
  const abuse = createAbuseGuard(given, blocks, index)
  const requests = new RequestLimits({
    clock,
    headers,
    strategy,
    default: defaults.length === 0 ? [] : compilePolicies(defaults, strategy, 'rateLimit.default'),
    limiters,
    allowances,
    blocks: index,
    startBlock: (block) => blocks.start(block),
    block: (input, createdBy) => blocks.addChecked(input, { id: createdBy }, true),
    abuse,
    meter,
    shared,
  })
  const throttle = new LoginThrottle({
    store: storage.loginAddresses,
    clock,
    rate: login,
    shared,
    capacity: maxSubjects,
    nameKey: derive(options.secrets[0] ?? '', 'login-account'),
    meter,
  })
  const masterKeys = new MasterKeyThrottle({
    clock,
    capacity: maxSubjects,
    meter,
    shared,
    async note({ address, requestId, isLast }) {
      // Where there is none nobody can guess it.
      if (options.masterKeys.length === 0) return
      const event = {
        action: 'master_key.refused',
        actor: { id: 'anonymous', origin: { address, requestId } },
        subject: address ?? 'unknown',
        details: { lockedOut: isLast },
      }
      await audit.recordGuess(addressSubject(address), event, isLast)
    },
  })
  const settler = setInterval(() => void ledger.settle(clock()).catch(() => undefined), SETTLE_INTERVAL)
  settler.unref()

  const blockReader = new BlockReader(blocks, warn)

  return {
    requests,
    blocks,
    throttle,
    masterKeys,
    keyUse: createKeyUse({ blocks: index, abuse, allowances, clock, meter, shared }),
    credits: {
      unused: (keyId) => allowances.unusedCredits(keyId),
      forget: (keyId) => allowances.forgetCredits(keyId),
    },
    start: () => blocks.load(),
    onBlockChange: (id) => void blockReader.hear(id),
    onGap: () => void blockReader.readAll(),
    async sweep(now) {
      await storage.loginAddresses.purge(now - LOGIN_ADDRESS_RETENTION)
      await storage.quotas.purge(monthOf(now - QUOTA_RETENTION))
      await blocks.sweep(now)
    },
    async stop() {
      clearInterval(settler)
      blockReader.stop()
      await blocks.settle()
      await masterKeys.settle()
      await ledger.settle(Number.POSITIVE_INFINITY).catch(() => warn('claimed quotas could not be given back'))
    },
  }
}
