/** Limits without storage: nobody is blocked, keys have no limit unless the test says so. */
import { RequestLimits, type RequestLimitsOptions } from '../../src/guards/request-limits.ts'
import { BlockIndex } from '../../src/limits/block-index.ts'
import { KeyAllowances } from '../../src/limits/key-allowance.ts'
import { Limiters } from '../../src/limits/limiters.ts'
import { QuotaLedger } from '../../src/limits/quota-ledger.ts'

const CAPACITY = 10_000

export function createTestLimits(more: Partial<RequestLimitsOptions> = {}): RequestLimits {
  const limiters = new Limiters(CAPACITY)
  const unasked = () => Promise.reject(new Error('no storage in this test'))
  return new RequestLimits({
    clock: Date.now,
    meter: null,
    headers: 'both',
    strategy: 'sliding-window',
    default: [],
    limiters,
    allowances: new KeyAllowances({
      maxSubjects: CAPACITY,
      ledger: new QuotaLedger(),
      keys: { claimCredits: unasked, giveBackCredits: unasked },
      quotas: { claim: unasked, giveBack: unasked },
      defaultRate: false,
      strategy: 'sliding-window',
      meter: null,
    }),
    blocks: new BlockIndex(() => false),
    startBlock: () => undefined,
    block: unasked,
    abuse: null,
    shared: null,
    ...more,
  })
}
