/** Blocks over storage in memory, with a clock that is moved by hand. */
import { type AutomaticBlock, BlockService } from '../../src/blocks/service.ts'
import { createAddressMatcher } from '../../src/lib/ip.ts'
import { BlockIndex } from '../../src/limits/block-index.ts'
import { AuditLog } from '../../src/recording/audit/audit.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { SECRET } from '../support/test-app.ts'

export const NOW = Date.UTC(2030, 0, 1, 12)
export const HOUR = 3_600_000
export const ADDRESS = '203.0.113.5'
export const ALLOWED = '198.51.100.7'
export const ABUSE: AutomaticBlock = {
  kind: 'abuse',
  subject: `ip:${ADDRESS}`,
  scope: 'global',
  path: '',
  reason: '100 wrong credentials',
  expiresAt: NOW + 24 * HOUR,
}

/** Has more in it than was put there, so that its bound is near. */
class CrowdedIndex extends BlockIndex {
  crowd = 0

  override get size(): number {
    return super.size + this.crowd
  }
}

export function withBlocks() {
  const time = { now: NOW }
  const clock = () => time.now
  const storage = createMemoryStorage(clock)
  const index = new CrowdedIndex(createAddressMatcher([ALLOWED, '2001:db8::/48']))
  const warnings: string[] = []
  const forgotten: string[] = []
  const blocks = new BlockService({
    store: storage.blocks,
    index,
    clock,
    audit: new AuditLog({ store: storage.audit, clock, secrets: [SECRET], onFailure: () => warnings.push('audit') }),
    forget: (subject) => void forgotten.push(subject),
    warn: (message) => void warnings.push(message),
  })
  const fail = (verb: string) =>
    storage.before.set(verb, () => {
      throw new Error('disk full')
    })
  return {
    time,
    storage,
    index,
    warnings,
    forgotten,
    blocks,
    fail,
    isBlocked: (address = ADDRESS, url = '/') => index.findForAddress(address, { url, route: null }, time.now) !== null,
    stored: () => [...storage.rows.blocks.values()],
    audited: () =>
      [...storage.rows.audit.values()].map(({ action, actor, subject, details }) => ({
        action,
        actor,
        subject,
        details,
      })),
  }
}
