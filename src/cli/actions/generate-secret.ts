/** What `machine-auth secret generate` does. */
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { makeSecret } from '../../options/secret-file.ts'
import { readEntry, writeEntry } from '../env-file/entries.ts'
import { readBytes, replaceBytes } from '../env-file/file.ts'
import { CommandError, UsageError } from '../errors.ts'
import type { Confirmation } from '../input/confirm.ts'
import type { CliIo } from '../terminal/io.ts'
import { ask } from '../terminal/prompt.ts'
import { type Cli, outputOf } from '../with-core.ts'

interface Kind {
  /** The member of the JSON answer. */
  readonly member: 'secret' | 'masterKey'
  readonly variable: string
  readonly loss: string
}

const SECRET: Kind = {
  member: 'secret',
  variable: 'MACHINE_AUTH_SECRET',
  loss: 'Without the old one all API keys, tokens and signing keys made under it are refused for good.',
}
const MASTER_KEY: Kind = {
  member: 'masterKey',
  variable: 'MACHINE_AUTH_MASTER_KEY',
  loss: 'Without the old one whoever uses it is refused.',
}

export interface GenerateOptions extends Confirmation {
  readonly write?: string
  readonly masterKey?: true
  readonly keepOld?: true
}

/** What becomes of a value that is there already. */
async function isOldKept(io: CliIo, { keepOld, yes }: GenerateOptions, { variable, loss }: Kind, file: string) {
  if (keepOld) return true
  if (yes) return false
  const situation = `${variable} is set in ${file}. ${loss} A list, newest first, keeps both in use: new,old.`
  if (!io.isTTY) throw new UsageError(`${situation} Add --keep-old for a list, or --yes to replace it.`)
  const answer = (await ask(io, `${situation}\nKeep the old one in the list, replace it, or stop? [k/r/S] `)).trim()
  if (/^k(eep)?$/i.test(answer)) return true
  if (/^r(eplace)?$/i.test(answer)) return false
  throw new CommandError('Nothing was changed.')
}

export async function generate(cli: Cli, options: GenerateOptions, self: Command): Promise<void> {
  const { io } = cli
  const kind = options.masterKey ? MASTER_KEY : SECRET
  const output = outputOf(cli, self)
  const made = makeSecret()
  if (options.write === undefined) {
    if (options.keepOld) throw new UsageError('--keep-old goes with --write only')
    if (output.isJson) output.json({ [kind.member]: made })
    else output.line(made)
    return
  }
  const path = resolve(io.cwd, options.write)
  const file = basename(path)
  const before = readBytes(path)
  const old = before === null ? null : readEntry(before, kind.variable)
  const isKept = old !== null && (await isOldKept(io, options, kind, file))
  replaceBytes(path, before, writeEntry(before ?? '', kind.variable, isKept ? `${made},${old}` : made))
  const result = { file, variable: kind.variable, replaced: old !== null && !isKept, kept: isKept }
  const sentence = isKept
    ? `${kind.variable} in ${file} is a list now: a new one, and what was there before.`
    : `${kind.variable} is set in ${file}, which only its owner can read. Keep it out of the repository.`
  output.done(result, sentence)
}
