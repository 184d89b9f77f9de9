/** Tells one line after the other, also where it must first be found out what to say. */

/**
 * @param warn hears each line
 * @returns takes the next line; one that is still being found out is waited for, so that none overtakes another
 */
export function createTeller(warn: (message: string) => void): (message: string | Promise<string>) => void {
  let last: Promise<void> = Promise.resolve()
  return (message) => {
    last = last.then(async () => warn(await message)).catch(() => undefined)
  }
}
