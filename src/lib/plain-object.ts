export type PlainObject = Readonly<Record<string, unknown>>

/** Whether a value is an object literal or parsed JSON, as opposed to a list, function or instance of a class. */
export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
