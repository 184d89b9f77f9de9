/** Where secrets come from: standard input, the environment or a prompt without echo; never an argument. */
import { CommandError, UsageError } from '../errors.ts'
import type { CliIo } from '../terminal/io.ts'
import { askHidden, readAll } from '../terminal/prompt.ts'

export interface SecretSource {
  /** What it is, as a prompt says it: `Password`. */
  readonly label: string
  /** The environment variable. */
  readonly variable: string
  /** The flag that means standard input. */
  readonly flag: string
  /** Whether that flag was given. */
  readonly isFromStdin: boolean
  /** A new one is typed twice. */
  readonly isNew?: true
  /** The flag that says to do without. */
  readonly without?: string
}

/** Variables of the command line, which the library itself does not read. */
export const SECRET_VARIABLES = ['MACHINE_AUTH_PASSWORD', 'MACHINE_AUTH_KEY', 'MACHINE_AUTH_HASH'] as const

/** The secret, or null where nothing gives one: an empty answer to the prompt, or nobody to ask. */
async function findSecret(io: CliIo, source: SecretSource): Promise<string | null> {
  const { label, variable, isFromStdin, isNew } = source
  if (isFromStdin) return readAll(io)
  const given = io.env[variable] ?? ''
  if (given !== '') return given
  if (!io.isTTY) return null
  const typed = await askHidden(io, `${label}: `)
  if (typed === '') return null
  if (isNew && (await askHidden(io, `${label} again: `)) !== typed) {
    throw new CommandError('The two are not the same. Nothing was changed.')
  }
  return typed
}

/** @throws UsageError where nothing gives one, saying what can */
export async function requireSecret(io: CliIo, source: SecretSource): Promise<string> {
  const secret = await findSecret(io, source)
  if (secret !== null && secret !== '') return secret
  const instead = source.without === undefined ? '' : ` To do without: ${source.without}.`
  throw new UsageError(
    `${source.label} missing: give it at the prompt, by ${source.flag}, or in ${source.variable}.${instead}`,
  )
}
