/** Who was believed from memory since storage did not answer: whoever serves him need not wait for it again. */
const believed = new WeakMap<object, number>()

/** @param until epoch ms, when storage is asked about him again */
export function noteBelieved(principal: object, until: number): void {
  believed.set(principal, until)
}

/** @param now epoch ms */
export function isBelieved(principal: object, now: number): boolean {
  return now < (believed.get(principal) ?? Number.NEGATIVE_INFINITY)
}
