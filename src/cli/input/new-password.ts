import type { SecretSource } from './secret.ts'

export interface PasswordOptions {
  readonly passwordStdin?: true
}

/** Where a new password comes from. */
export function newPassword({ passwordStdin }: PasswordOptions): SecretSource {
  const isFromStdin = passwordStdin === true
  return { label: 'Password', variable: 'MACHINE_AUTH_PASSWORD', flag: '--password-stdin', isFromStdin, isNew: true }
}
