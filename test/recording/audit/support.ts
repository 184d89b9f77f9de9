import { AuditLog, type AuditLogOptions } from '../../../src/recording/audit/audit.ts'
import { createMemoryStorage } from '../../support/memory-storage.ts'
import { SECRET, START } from '../../support/services.ts'

export const OTHER_SECRET = 'another root secret for tests, of 32 bytes and more'

/** An audit log in memory, with a clock that is moved by hand; `reopen` is another process on the same storage. */
export function openLog(options: Partial<AuditLogOptions> = {}, storage = createMemoryStorage()) {
  const time = { now: START }
  const failures: unknown[] = []
  const warnings: string[] = []
  const audit = new AuditLog({
    store: storage.audit,
    clock: () => time.now,
    secrets: [SECRET],
    onFailure: (error) => failures.push(error),
    warn: (message) => warnings.push(message),
    ...options,
  })
  /** Writes events, a millisecond apart. */
  async function write(count: number): Promise<void> {
    for (let written = 0; written < count; written++) {
      time.now += 1
      await audit.record({ action: 'key.created', actor: { id: 'user_1' }, subject: `key_${written}` })
    }
  }
  const sequences = () =>
    [...storage.rows.audit.values()].map(({ sequence }) => sequence).sort((a, b) => Number(a) - Number(b))
  return { storage, time, audit, failures, warnings, write, sequences }
}

/** 1 to `count`. */
export const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

export const broken = () => {
  throw new Error('disk full')
}
