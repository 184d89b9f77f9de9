/** What a page tells its reader to do, in its order: commands with what they answer, files, and code. */
import { readFileSync } from 'node:fs'

export interface Step {
  /** `file`: written below the name its first line gives. `code`: run once. `commands`: run by a shell. */
  readonly kind: 'commands' | 'code' | 'file'
  readonly text: string
  /** What the page shows below the commands; null where it shows nothing. */
  readonly shown: string | null
  /** The line of the page that it begins at. */
  readonly line: number
}

const FILE_NAME = /^\/\/ (\S+\.(?:ts|json))\n/

/** Lines of a shell block: commands, and below them what they answer as comments. */
function stepsOfShell(block: string, line: number): readonly Step[] {
  const steps: Step[] = []
  let commands: string[] = []
  let shown: string[] = []
  let start = line
  const finish = (next: number) => {
    if (commands.length > 0) {
      const answer = shown.length === 0 ? null : shown.join('\n')
      steps.push({ kind: 'commands', text: commands.join('\n'), shown: answer, line: start })
    }
    commands = []
    shown = []
    start = next
  }
  for (const [index, text] of block.split('\n').entries()) {
    const isShown = text.startsWith('#')
    if (text.trim() === '' || (!isShown && shown.length > 0)) finish(line + index + (text.trim() === '' ? 1 : 0))
    if (text.trim() === '') continue
    if (isShown) shown.push(text.replace(/^# ?/, ''))
    else commands.push(text)
  }
  finish(line)
  return steps
}

/**
 * The steps of a page, or of one of its sections.
 *
 * @param heading a whole line; up to the next heading of its level
 */
export function readSteps(page: string, heading?: string): readonly Step[] {
  const text = readFileSync(page, 'utf8')
  const start = heading === undefined ? 0 : text.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`${page} has no heading "${heading}"`)
  const level = heading?.split(' ')[0]
  const end = level === undefined ? -1 : text.indexOf(`\n${level} `, start + 1)
  const section = end === -1 ? text.slice(start) : text.slice(start, end)
  const before = text.slice(0, start).split('\n').length
  return [...section.matchAll(/^```(sh|ts)\n([\s\S]*?)^```$/gm)].flatMap((match) => {
    const [, language, block = ''] = match
    const line = before + section.slice(0, match.index).split('\n').length
    if (language === 'sh') return stepsOfShell(block, line)
    return [{ kind: FILE_NAME.test(block) ? 'file' : 'code', text: block, shown: null, line } as const]
  })
}

/** The name that the first line of a file's block gives it. */
export function nameOfFile({ text }: Step): string {
  const name = FILE_NAME.exec(text)?.[1]
  if (name === undefined) throw new Error('this block names no file')
  return name
}
