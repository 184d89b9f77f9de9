/** Ids for requests that bring none: unique in the process and, by their first part, among processes. */

export function createRequestIds(): () => string {
  const start = Buffer.from(crypto.getRandomValues(new Uint8Array(9))).toString('base64url')
  let count = 0
  return () => {
    count += 1
    return `${start}-${count.toString(36)}`
  }
}
