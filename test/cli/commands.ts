import type { Command } from 'commander'

export interface ListedCommand {
  /** The words that call it: `key create`. */
  readonly name: string
  readonly command: Command
  readonly isGroup: boolean
  readonly help: string
}

/** Every command of a program, groups included. */
export function commandsOf(command: Command, path: readonly string[] = []): readonly ListedCommand[] {
  return command.commands
    .filter((each) => each.name() !== 'help')
    .flatMap((each) => {
      const own = [...path, each.name()]
      return [
        { name: own.join(' '), command: each, isGroup: each.commands.length > 0, help: helpOf(each) },
        ...commandsOf(each, own),
      ]
    })
}

/** All of it, examples included. */
function helpOf(command: Command): string {
  const written: string[] = []
  command.configureOutput({ writeOut: (text) => void written.push(text) }).outputHelp()
  return written.join('')
}
