import { UsageError } from '../errors.ts'

/**
 * What may be given as an argument or as an option, but once.
 *
 * @throws UsageError when it was given never or twice
 */
export function requireOne(name: string, argument: string | undefined, option: string | undefined): string {
  const given = argument ?? option
  if (given === undefined) throw new UsageError(`missing required argument '${name}'`)
  if (argument !== undefined && option !== undefined)
    throw new UsageError(`'${name}' and --${name} are the same: give one`)
  return given
}
