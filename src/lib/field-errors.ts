import { type FieldError, MachineAuthError } from '../errors.ts'

/** Collects the mistakes of one input, so that all of them are reported at once. */
export class FieldErrors {
  readonly #errors: FieldError[] = []

  /** @param message what is accepted at `path`; never the value that was given */
  add(path: string, message: string): void {
    this.#errors.push({ path, message })
  }

  get isEmpty(): boolean {
    return this.#errors.length === 0
  }

  /** @throws MachineAuthError `validation_failed` when anything was added */
  throwIfAny(): void {
    if (this.#errors.length > 0) throw invalidFields(this.#errors)
  }
}

function invalidFields(errors: readonly FieldError[]): MachineAuthError {
  const detail = errors.map(({ path, message }) => `${path} ${message}.`).join(' ')
  return new MachineAuthError('validation_failed', { detail, errors })
}

/** The refusal of one wrong field. */
export function invalidField(path: string, message: string): MachineAuthError {
  return invalidFields([{ path, message }])
}
