/** Counts what an answer costs, where the time it takes would be a guess. */
import { spyOn } from 'bun:test'
import { createHmac } from 'node:crypto'

export interface Work {
  /** HMACs computed. */
  readonly hmacs: number
  /** Passwords verified. */
  readonly verifications: number
  /** Passwords hashed. */
  readonly hashes: number
}

/** What makes HMACs: of Bun and of Node. */
const MAKERS: readonly { digest(): unknown }[] = [
  Bun.CryptoHasher.prototype,
  Object.getPrototypeOf(createHmac('sha256', '')),
]

/** Runs something and answers what it cost. */
export async function measureWork<T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly work: Work }> {
  const digests = MAKERS.map((maker) => spyOn(maker, 'digest'))
  const verify = spyOn(Bun.password, 'verify')
  const hash = spyOn(Bun.password, 'hash')
  try {
    const result = await run()
    const [verifications = 0, hashes = 0] = [verify, hash].map((spy) => spy.mock.calls.length)
    const hmacs = digests.reduce((sum, { mock }) => sum + mock.calls.length, 0)
    return { result, work: { hmacs, verifications, hashes } }
  } finally {
    for (const spy of [...digests, verify, hash]) spy.mockRestore()
  }
}
