/** What `machine-auth init` does. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { makeSecret, SECRET_FILE } from '../../options/secret-file.ts'
import { listPendingMigrations } from '../../storage/open.ts'
import { readEntry, writeEntry } from '../env-file/entries.ts'
import { readBytes, replaceBytes } from '../env-file/file.ts'
import { databaseOf, sourceOfOption } from '../given-options.ts'
import { newPassword } from '../input/new-password.ts'
import { requireSecret } from '../input/secret.ts'
import { readGlobals } from '../settings.ts'
import type { CliIo } from '../terminal/io.ts'
import { CLI_ACTOR, type Cli, outputOf, type Session, withCore } from '../with-core.ts'

const CONFIG = 'machine-auth.config.ts'
const CONFIGS = [CONFIG, 'machine-auth.config.json']
const SECRET = 'MACHINE_AUTH_SECRET'

const TEMPLATE = `import type { MachineAuthOptions } from 'elysia-machine-auth'

export default {
  roles: { admin: ['*'] },
  // Each module declares permissions: posts.view, posts.create, posts.update, posts.delete.
  // modules: { posts: { label: 'Posts' } },
} satisfies MachineAuthOptions
`

const SNIPPET = [
  "import { Elysia } from 'elysia'",
  "import { machineAuth } from 'elysia-machine-auth'",
  "export const app = new Elysia().use(machineAuth()).get('/data', ({ apiKey }) => apiKey.name, { apiKey: true }).listen(3000)",
]

interface Step {
  readonly step: string
  readonly state: 'made' | 'kept'
  readonly detail: string
}

function makeConfig({ cwd }: CliIo): Step {
  const existing = CONFIGS.find((name) => existsSync(join(cwd, name)))
  if (existing !== undefined) return { step: 'config', state: 'kept', detail: existing }
  writeFileSync(join(cwd, CONFIG), TEMPLATE, { flag: 'wx' })
  return { step: 'config', state: 'made', detail: CONFIG }
}

/** The secret that development made for itself: keys made under it must go on working. */
function readDevelopmentSecret(cwd: string): string | null {
  const path = join(cwd, SECRET_FILE)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null
}

/** @returns the variable too, for the steps that follow in this process */
function makeEnvironment(io: CliIo): { readonly step: Step; readonly given: CliIo['env'] } {
  const source = sourceOfOption(io, 'secret')
  if (source !== null) return { step: { step: 'secret', state: 'kept', detail: `given by ${source}` }, given: {} }
  const { cwd } = io
  const path = join(cwd, '.env')
  const before = readBytes(path)
  const existing = before === null ? null : readEntry(before, SECRET)
  if (existing !== null) {
    return { step: { step: 'secret', state: 'kept', detail: `${SECRET} in .env` }, given: { [SECRET]: existing } }
  }
  const earlier = readDevelopmentSecret(cwd)
  const secret = earlier ?? makeSecret()
  replaceBytes(path, before, writeEntry(before ?? '', SECRET, secret))
  const origin = earlier === null ? 'new' : `the one of ${SECRET_FILE}, so that existing keys go on working`
  const detail = `${SECRET} in .env (${origin}); keep that file out of the repository`
  return { step: { step: 'secret', state: 'made', detail }, given: { [SECRET]: secret } }
}

export interface InitOptions {
  readonly admin?: string
  readonly passwordStdin?: true
}

async function makeAdministrator({ core, io }: Session, email: string, source: InitOptions): Promise<Step> {
  const known = await core.users.findByEmail(email)
  if (known !== null) return { step: 'administrator', state: 'kept', detail: `${known.email} (${known.id})` }
  const password = await requireSecret(io, newPassword(source))
  const made = await core.users.create({ email, password, roles: ['admin'] }, CLI_ACTOR)
  return { step: 'administrator', state: 'made', detail: `${made.email} (${made.id})` }
}

export async function init(cli: Cli, options: InitOptions, self: Command): Promise<void> {
  const output = outputOf(cli, self)
  const steps: Step[] = []
  // Told at once: what was made stays, also when a later step fails.
  function tell(step: Step): void {
    steps.push(step)
    if (!output.isJson) output.line(`${step.state}  ${step.step.padEnd(13)}  ${step.detail}`)
  }

  tell(makeConfig(cli.io))
  const { step, given } = makeEnvironment(cli.io)
  tell(step)
  const io = { ...cli.io, env: { ...cli.io.env, ...given } }
  const { database, postgres } = databaseOf(io, readGlobals(self))
  const pending = await listPendingMigrations(database, { postgres })
  await withCore({ ...cli, io }, self, async (session) => {
    const state = pending.length === 0 ? 'kept' : 'made'
    tell({ step: 'database', state, detail: 'migrated to this version' })
    if (options.admin !== undefined) tell(await makeAdministrator(session, options.admin, options))
  })
  if (output.isJson) return output.json({ steps, snippet: SNIPPET })
  output.line('\nPaste into your app:\n')
  for (const line of SNIPPET) output.line(`  ${line}`)
}
