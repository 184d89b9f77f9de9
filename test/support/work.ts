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

/** Runs something and answers what it cost. */
export async function measureWork<T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly work: Work }> {
  const hmac: { digest(): unknown } = Object.getPrototypeOf(createHmac('sha256', ''))
  const digest = spyOn(hmac, 'digest')
  const verify = spyOn(Bun.password, 'verify')
  const hash = spyOn(Bun.password, 'hash')
  try {
    const result = await run()
    const [hmacs = 0, verifications = 0, hashes = 0] = [digest, verify, hash].map((spy) => spy.mock.calls.length)
    return { result, work: { hmacs, verifications, hashes } }
  } finally {
    for (const spy of [digest, verify, hash]) spy.mockRestore()
  }
}
