/**
 * Waits for a write, then acts, and acts too when it failed: a statement that timed out may still have taken effect.
 *
 * @example await afterwards(keys.revoke(id, revocation), () => invalidate('key', id))
 */
export async function afterwards<T>(write: Promise<T>, action: () => void): Promise<T> {
  try {
    return await write
  } finally {
    action()
  }
}
