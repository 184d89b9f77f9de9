/** The route options that are guards: an option of these names that Elysia did not apply stops the start. */

const names = new Set([
  'apiKey',
  'bearerToken',
  'session',
  'currentUser',
  'optionalUser',
  'requireRole',
  'requirePermission',
  'requireModule',
  'masterKey',
  'rateLimit',
  'public',
])

/** Adds the guard of an `authorizedResource`. */
export function registerGuardName(name: string): void {
  names.add(name)
}

export function isGuardName(name: string): boolean {
  return names.has(name) || /^authorized[A-Z]/.test(name)
}
