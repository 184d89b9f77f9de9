/** What was measured, kept beside this file: groups that are not run keep the figures of the run before. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Result } from './report.ts'

export interface GroupRun {
  /** When it ended, ISO 8601. */
  readonly date: string
  readonly isQuick: boolean
  /** How long it took. */
  readonly seconds: number
  readonly versions: Readonly<Record<string, string>>
  readonly processor: string
  /** Why there is no figure, or not all of them. */
  readonly failure?: string
  readonly results: readonly Result[]
}

/** By group. */
export type Results = Readonly<Record<string, GroupRun>>

export const RESULTS_FILE = join(import.meta.dir, 'results.json')

/** What was measured last; nothing before the first run. */
export function readResults(): Results {
  return existsSync(RESULTS_FILE) ? (JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as Results) : {}
}

/**
 * Puts runs in the place of those before, in the order of the groups. A quick run is not put in the place of a full one,
 * nor is a failed one in the place of one that did not fail.
 *
 * @param order names of all groups
 */
export function mergeResults(before: Results, runs: Results, order: readonly string[]): Results {
  const merged: Record<string, GroupRun> = {}
  for (const name of order) {
    const [former, latter] = [before[name], runs[name]]
    const chosen = latter === undefined || (former !== undefined && isWorse(latter, former)) ? former : latter
    if (chosen !== undefined) merged[name] = chosen
  }
  return merged
}

function isWorse(latter: GroupRun, former: GroupRun): boolean {
  if (latter.failure !== undefined) return former.failure === undefined
  return latter.isQuick && !former.isQuick && former.failure === undefined
}

/** What pages show: a quick run proves that all of it works, and is no figure. */
export function onlyFull(results: Results): Results {
  return Object.fromEntries(Object.entries(results).filter(([, run]) => !run.isQuick && run.failure === undefined))
}

/** The figure of a group, or undefined where it was not measured. */
export function findResult(results: Results, group: string, name: string): Result | undefined {
  return results[group]?.results.find((result) => result.name === name)
}
