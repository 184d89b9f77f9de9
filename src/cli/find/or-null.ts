import { MachineAuthError } from '../../errors.ts'

/** What a look-up answers, or null where there is no such thing. */
export async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found
  } catch (error) {
    if (error instanceof MachineAuthError && error.code === 'not_found') return null
    throw error
  }
}
