/** What a start without its database is rejected with: one line for whoever runs the app, and nothing more. */
import { type ErrorCode, MachineAuthError } from '../../errors.ts'
import { translateError } from './errors.ts'
import { describeTrouble, findTrouble, optionOf, type PostgresTrouble, placeOf } from './postgres-troubles.ts'

/** `message` is for whoever runs the app. `detail` goes to clients: it names no host. */
export class DatabaseStartError extends MachineAuthError {
  readonly trouble: PostgresTrouble
  /** What is wrong with which database. */
  readonly summary: string

  constructor(code: ErrorCode, detail: string | undefined, trouble: PostgresTrouble, url: string | null) {
    super(code, { ...(detail === undefined ? {} : { detail, retryable: true, retryAfter: 1 }) })
    this.trouble = trouble
    const place = url === null ? null : placeOf(url)
    const what = describeTrouble(trouble)
    this.summary = `${place ?? 'the database of the app'} ${what}`
    const name = place === null ? 'the database of the app' : `the database (${place})`
    this.message = `machine-auth: ${name} ${what}; see the option ${optionOf(trouble)}`
    // A start that fails prints the error whole: what is not enumerable is not printed.
    for (const name of Object.keys(this)) Object.defineProperty(this, name, { enumerable: false })
  }
}

/** @param url null for a database of the app */
export async function explainStart(error: unknown, url: string | null): Promise<unknown> {
  const trouble = await findTrouble(error, url)
  const translated = translateError(error)
  if (trouble === null) return translated
  return translated instanceof MachineAuthError && translated.code === 'storage_unavailable'
    ? new DatabaseStartError('storage_unavailable', translated.detail, trouble, url)
    : new DatabaseStartError('internal_error', undefined, trouble, url)
}
