/** All groups of figures, in the order in which they are measured. */
import { join } from 'node:path'
import type { Report } from './report.ts'

interface Group {
  /** Its module, below this folder. */
  readonly file: string
  /** How long it takes where no run before says so, s: in full and in short. */
  readonly seconds: readonly [full: number, quick: number]
}

export const GROUPS = {
  guards: { file: 'guards.ts', seconds: [350, 90] },
  'keys-in-use': { file: 'keys-in-use.ts', seconds: [145, 30] },
  limits: { file: 'limits.ts', seconds: [90, 10] },
  tokens: { file: 'tokens.ts', seconds: [30, 5] },
  storage: { file: 'storage.ts', seconds: [100, 20] },
  recording: { file: 'recording.ts', seconds: [170, 60] },
  usage: { file: 'usage.ts', seconds: [120, 20] },
  pages: { file: 'keys.ts', seconds: [60, 10] },
  cluster: { file: 'cluster.ts', seconds: [230, 60] },
  logins: { file: 'logins.ts', seconds: [60, 20] },
  types: { file: 'types.ts', seconds: [50, 10] },
  'start-up': { file: 'startup.ts', seconds: [60, 15] },
  memory: { file: 'memory.ts', seconds: [120, 20] },
  cores: { file: 'cores.ts', seconds: [120, 20] },
  peers: { file: 'peers/run.ts', seconds: [310, 90] },
  scale: { file: 'scale.ts', seconds: [360, 20] },
  soak: { file: 'soak.ts', seconds: [620, 20] },
} as const satisfies Readonly<Record<string, Group>>

export type GroupName = keyof typeof GROUPS

export const GROUP_NAMES = Object.keys(GROUPS) as readonly GroupName[]

export function isGroupName(name: string): name is GroupName {
  return Object.hasOwn(GROUPS, name)
}

export type Run = (report: Report, options: { readonly isQuick: boolean }) => Promise<void>

/** @throws Error when the group is not there */
export async function importGroup(name: GroupName): Promise<Run> {
  const { file } = GROUPS[name]
  const path = join(import.meta.dir, file)
  if (!(await Bun.file(path).exists())) throw new Error(`bench/${file} is not there`)
  const { run } = (await import(path)) as { readonly run?: Run }
  if (typeof run !== 'function') throw new Error(`bench/${file} exports no run()`)
  return run
}
