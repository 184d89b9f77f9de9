/** Asks the person at the terminal. */
import { CommandError } from '../errors.ts'
import type { CliIo, InputStream } from './io.ts'

const ENTER = new Set(['\r', '\n'])
const BACKSPACE = new Set(['\u007f', '\b'])
const INTERRUPT = '\u0003'
const END = '\u0004'
const ERASE_LINE = '\u0015'

const MAX_INPUT = 1_048_576

/** Collects one line; what was typed ahead stays in the stream for the next question. */
function readLine(stdin: InputStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    stdin.setEncoding('utf8')

    function finish(settle: () => void): void {
      stdin.off('data', onData)
      stdin.off('end', onEnd)
      stdin.pause()
      settle()
    }

    function onEnd(): void {
      finish(() => reject(new CommandError('The input ended before the question was answered.')))
    }

    function onData(chunk: string | Uint8Array): void {
      const characters = [...String(chunk)]
      for (const [index, character] of characters.entries()) {
        if (ENTER.has(character)) {
          const next = character === '\r' && characters[index + 1] === '\n' ? index + 2 : index + 1
          const rest = characters.slice(next).join('')
          finish(() => {
            if (rest !== '') stdin.unshift(rest)
            resolve(typed.join(''))
          })
          return
        }
        if (character === INTERRUPT || character === END) {
          onEnd()
          return
        }
        if (character === ERASE_LINE) typed = []
        else if (BACKSPACE.has(character)) typed.pop()
        else typed.push(character)
      }
    }

    stdin.on('data', onData)
    stdin.once('end', onEnd)
    stdin.resume()
  })
}

/** Asks a question on standard error and answers the line that was typed. */
export async function ask({ stdin, stderr }: Pick<CliIo, 'stdin' | 'stderr'>, question: string): Promise<string> {
  stderr.write(question)
  return readLine(stdin)
}

/** As `ask`, without echo. */
export async function askHidden({ stdin, stderr }: Pick<CliIo, 'stdin' | 'stderr'>, question: string): Promise<string> {
  // First, since a person answers as soon as the question is there.
  stdin.setRawMode?.(true)
  try {
    stderr.write(question)
    return await readLine(stdin)
  } finally {
    stdin.setRawMode?.(false)
    stderr.write('\n')
  }
}

/** All of standard input, without the line break at its end. */
export async function readAll({ stdin }: Pick<CliIo, 'stdin'>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_INPUT) throw new CommandError('Standard input is longer than a secret can be.')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
