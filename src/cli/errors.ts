/** What is told when a command fails, and with which exit code. */
import { CommanderError } from 'commander'
import { MachineAuthError } from '../errors.ts'
import { flagOf, MISUSED_FLAGS } from './input/flags.ts'
import { withoutControls } from './terminal/text.ts'

/** The command was called in a wrong way: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command failed for a reason that its message tells whole: exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

export interface Failure {
  readonly exitCode: number
  /** Lines for standard error. */
  readonly lines: readonly string[]
}

/** By its message: that of a start names the host, which the detail keeps from clients. */
function describeRefusal({ message, extras }: MachineAuthError): readonly string[] {
  const required = extras.required === undefined ? [] : [`  required: ${extras.required.join(', ')}`]
  if (extras.errors === undefined || extras.errors.length === 0)
    return [message.replace(/^machine-auth: /, ''), ...required]
  return [
    'Something is not as it must be:',
    ...extras.errors.map(({ path, message }) => `  ${flagOf(path)} ${message}`),
    ...required,
  ]
}

/** Commander quotes what was given, which may be a secret that should not have been an argument. */
function describeMisuse({ code, message }: CommanderError): readonly string[] {
  const text = message.replace(/^error: /, '')
  if (code === 'commander.excessArguments') {
    return [
      `${text.replace(/(but got \d+): .*/s, '$1')}. Secrets are never arguments: they come from a prompt, standard input or the environment.`,
    ]
  }
  if (code !== 'commander.unknownOption') return [text]
  const flag = /'(--?[^'=]*)/.exec(text)?.[1] ?? ''
  const advice = MISUSED_FLAGS.get(flag)
  if (advice !== undefined) return [`${flag} is not an option: others could see the value. ${advice}`]
  const suggestion = /\(Did you mean [^)]*\)/.exec(text)?.[0]
  return [`unknown option '${flag}'`, ...(suggestion === undefined ? [] : [suggestion])]
}

/** Says what happened, for a person. */
export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return { exitCode: 0, lines: [] }
    // Help was shown, because a command was missing.
    return { exitCode: 2, lines: thrown.code === 'commander.help' ? [] : describeMisuse(thrown) }
  }
  if (thrown instanceof UsageError) return { exitCode: 2, lines: [thrown.message] }
  if (thrown instanceof MachineAuthError) return { exitCode: 1, lines: describeRefusal(thrown) }
  return { exitCode: 1, lines: [thrown instanceof Error ? thrown.message : String(thrown)] }
}

/** One line of a failure is `error: …`, those that explain it are below it. */
export function formatFailure({ lines }: Failure): string {
  const [first, ...more] = lines.map(withoutControls)
  return first === undefined ? '' : `${[`error: ${first}`, ...more].join('\n')}\n`
}
