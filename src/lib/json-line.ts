/** JSON for logs that are read line by line, and on terminals. */

/** What JSON leaves as it is although it moves cursors, ends lines or turns the direction of writing. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * A value as JSON on one line, whatever its texts hold.
 *
 * @example toJsonLine({ path: '/a\u2028b' }) // '{"path":"/a\\u2028b"}'
 */
export function toJsonLine(value: object): string {
  const toEscape = (control: string) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replaceAll(UNSAFE, toEscape)
}
