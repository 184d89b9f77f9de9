/**
 * Lets everything else that waits have its turn: on a synchronous driver, work in a row keeps all requests waiting,
 * however often it awaits.
 */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
