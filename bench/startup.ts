/**
 * What starting costs: importing the package, from nothing to the first answer, and a command. Each is a process of its
 * own from beginning to end, in turns with the same without us: `bun bench/startup.ts`.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goalOf } from './goals.ts'
import { median } from './median.ts'
import { createPrintingReport, type Report } from './report.ts'

const GROUP = 'start-up'
const ROUNDS = 40
const QUICK_ROUNDS = 6

const PACKAGE = JSON.stringify(join(import.meta.dir, '..', 'src', 'index.ts'))
const SERVER = join(import.meta.dir, 'startup', 'server.ts')
const COMMAND = join(import.meta.dir, '..', 'src', 'cli', 'main.ts')
// In the folder of the bench, so that elysia is found.
const script = (code: string) => ['--cwd', import.meta.dir, '-e', code] as const

/** The arguments of a child; those with a file of their own are given its name. */
const CHILDREN = {
  'an empty process': () => script('0'),
  'elysia alone': () => script("import 'elysia'"),
  'elysia and the package': () => script(`import 'elysia'; import ${PACKAGE}`),
  'a bare app': () => [SERVER],
  'an app on SQLite in memory': () => [SERVER, 'sqlite::memory:'],
  'an app on a new SQLite file': (fresh) => [SERVER, `sqlite:${fresh}`],
  'an app on a SQLite file': (_, known) => [SERVER, `sqlite:${known}`],
  'the command with --version': () => [COMMAND, '--version'],
  'the command with --help': () => [COMMAND, '--help'],
  'key list': (_, known) => [COMMAND, 'key', 'list', '--json', '--database', `sqlite:${known}`],
} as const satisfies Record<string, (fresh: string, known: string) => readonly string[]>

type Child = keyof typeof CHILDREN

/** Each result is how much longer `of` takes than `than`. */
const RESULTS: readonly { readonly name: string; readonly of: Child; readonly than: Child }[] = [
  { name: 'import, over elysia alone', of: 'elysia and the package', than: 'elysia alone' },
  { name: 'first answer, SQLite in memory, over bare', of: 'an app on SQLite in memory', than: 'a bare app' },
  { name: 'first answer, new SQLite file, over bare', of: 'an app on a new SQLite file', than: 'a bare app' },
  { name: 'first answer, known SQLite file, over bare', of: 'an app on a SQLite file', than: 'a bare app' },
  { name: 'machine-auth --version, over nothing', of: 'the command with --version', than: 'an empty process' },
  { name: 'machine-auth --help, over nothing', of: 'the command with --help', than: 'an empty process' },
  { name: 'machine-auth key list, over nothing', of: 'key list', than: 'an empty process' },
]

/** ms of wall clock and of CPU. */
interface Spent {
  readonly wall: number
  readonly cpu: number
}

async function spend(args: readonly string[], cwd: string, secret: string): Promise<Spent> {
  const began = performance.now()
  const child = Bun.spawn([process.execPath, ...args], {
    cwd,
    env: { PATH: process.env.PATH, MACHINE_AUTH_SECRET: secret },
    stdout: 'ignore',
    stderr: 'inherit',
  })
  const code = await child.exited
  const wall = performance.now() - began
  if (code !== 0) throw new Error(`bun ${args.join(' ')} ended with ${code}`)
  return { wall, cpu: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000 }
}

const least = (spent: readonly Spent[]) => Math.min(...spent.map(({ wall }) => wall))
const middle = (spent: readonly Spent[]) => median(spent.map(({ wall }) => wall))
const leastCpu = (spent: readonly Spent[]) => Math.min(...spent.map(({ cpu }) => cpu))

async function measureAll(report: Report, folder: string, rounds: number): Promise<ReadonlyMap<Child, Spent[]>> {
  const secret = randomBytes(32).toString('base64url')
  const known = join(folder, 'known.db')
  // Makes the file that others find.
  await spend(CHILDREN['an app on a SQLite file']('', known), folder, secret)
  const spent = new Map<Child, Spent[]>()
  for (let round = 1; round <= rounds; round += 1) {
    report.progress(`start-up: round ${round} of ${rounds}`)
    for (const child of Object.keys(CHILDREN) as Child[]) {
      const args = CHILDREN[child](join(folder, `${round}.db`), known)
      const list = spent.get(child) ?? []
      list.push(await spend(args, folder, secret))
      spent.set(child, list)
    }
  }
  return spent
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'machine-auth-startup-'))
  try {
    const spent = await measureAll(report, folder, isQuick ? QUICK_ROUNDS : ROUNDS)
    for (const { name, of, than } of RESULTS) {
      const [ours, bare] = [spent.get(of) ?? [], spent.get(than) ?? []]
      const note = [
        `${of} ${least(ours).toFixed(0)} ms, ${than} ${least(bare).toFixed(0)} ms at best`,
        `${middle(ours).toFixed(0)} and ${middle(bare).toFixed(0)} ms in the middle`,
        `${(leastCpu(ours) - leastCpu(bare)).toFixed(0)} ms more of CPU`,
      ].join('; ')
      const goal = goalOf(GROUP, name)
      report.add({ group: GROUP, name, value: least(ours) - least(bare), unit: 'ms', ...(goal && { goal }), note })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
