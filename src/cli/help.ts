/** Help of commands. */
import type { Command } from 'commander'

/**
 * Ends the help of a command with examples.
 *
 * @param examples command lines without the program's name
 */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  const title = examples.length === 1 ? 'Example:' : 'Examples:'
  const lines = examples.map((example) => `  machine-auth ${example}`)
  return command.addHelpText('after', `\n${[title, ...lines].join('\n')}`)
}
