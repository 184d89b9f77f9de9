import type { MachineAuthOptions } from './types.ts'

/**
 * Types the default export of `machine-auth.config.ts`. Returns its argument.
 *
 * @example
 * // machine-auth.config.ts
 * export default defineConfig({ roles: { admin: ['*'], editor: ['posts.*'] } })
 */
export function defineConfig<const Roles extends string = string, U extends object = object>(
  options: MachineAuthOptions<Roles, U>,
): MachineAuthOptions<Roles, U> {
  return options
}
