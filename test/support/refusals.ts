import { expect } from 'bun:test'
import { type ErrorCode, MachineAuthError } from '../../src/errors.ts'

/** Asserts that something is refused with a code, and answers the refusal. */
export async function expectRefused(work: Promise<unknown>, code: ErrorCode): Promise<MachineAuthError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof MachineAuthError)) throw error ?? new Error(`expected ${code}, but nothing was refused`)
  expect(error.code).toBe(code)
  return error
}

/** The paths that a `validation_failed` names. */
export async function expectInvalid(work: Promise<unknown>, ...paths: readonly string[]): Promise<void> {
  const error = await expectRefused(work, 'validation_failed')
  expect(error.extras.errors?.map(({ path }) => path)).toEqual([...paths])
}
