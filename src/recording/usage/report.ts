/** Counts uses of keys that other services report, each once. */
import { type Actor, isWithinReach, reachOf } from '../../authorization/actor.ts'
import { breathe } from '../../lib/breathe.ts'
import { invalidField } from '../../lib/field-errors.ts'
import type { KeyStore } from '../../storage/ports/keys.ts'
import type { UsageStore } from '../../storage/ports/usage.ts'
import type { ApiKeyRecord, UsageRecord } from '../../storage/records.ts'
import type { AuditLog } from '../audit/audit.ts'
import { type EndpointBound, MOST_ENDPOINTS } from './endpoint-bound.ts'
import { PATTERN_WANTED, type ReadUse, type ReportedUse, readReportedUse } from './reported-use.ts'
import { rollUp } from './rollup.ts'
import { Tally } from './tally.ts'

export interface UsageReport {
  readonly accepted: number
  /** Those that were reported before, or twice in this list. */
  readonly duplicates: number
  /** By their place in the list, from 0 on. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[]
}

export interface ReportOptions {
  readonly store: Pick<UsageStore, 'accept'>
  readonly keys: Pick<KeyStore, 'findMany'>
  readonly audit: Pick<AuditLog, 'noteOutOfReach'>
  readonly endpoints: EndpointBound
}

/** Uses in one report. */
export const MOST_USES = 1000

/** Uses in one transaction, for which everybody else waits. */
const BATCH = 200

interface PlacedUse extends ReadUse {
  readonly index: number
}

/** A use of a key that the reporter reaches. */
interface OwnUse extends PlacedUse {
  readonly organizationId: string
}

type Rejections = Map<number, string>

function readAll(events: readonly unknown[], now: number, rejections: Rejections): readonly PlacedUse[] {
  return events.flatMap((event, index) => {
    const outcome = readReportedUse(event, now)
    if (outcome.kind === 'use') return [{ ...outcome.use, index }]
    rejections.set(index, outcome.reason)
    return []
  })
}

/** Leaves out uses of keys that are not there for the actor: another's is as good as none. */
async function withinReach(
  { keys, audit }: ReportOptions,
  uses: readonly PlacedUse[],
  actor: Actor,
  rejections: Rejections,
): Promise<readonly OwnUse[]> {
  const found = await keys.findMany([...new Set(uses.map(({ keyId }) => keyId))])
  const byId = new Map<string, ApiKeyRecord>(found.map((key) => [key.id, key]))
  const reach = reachOf(actor)
  const [foreign] = uses.filter(({ keyId }) => {
    const key = byId.get(keyId)
    return key !== undefined && !isWithinReach(reach, key)
  })
  if (foreign !== undefined) await audit.noteOutOfReach(actor, foreign.keyId)
  return uses.flatMap((use) => {
    const key = byId.get(use.keyId)
    if (key !== undefined && isWithinReach(reach, key)) return [{ ...use, organizationId: key.organizationId ?? '' }]
    rejections.set(use.index, 'keyId names no key.')
    return []
  })
}

const TOO_MANY = `the key has ${MOST_ENDPOINTS} endpoints today already: ${PATTERN_WANTED}.`

/** Leaves out uses of endpoints that are too many for their key. */
function withinBound(
  { endpoints }: ReportOptions,
  uses: readonly OwnUse[],
  now: number,
  rejections: Rejections,
): readonly OwnUse[] {
  return uses.filter(({ index, keyId, endpoint }) => {
    const isAdmitted = endpoints.admits(keyId, endpoint, now)
    if (!isAdmitted) rejections.set(index, TOO_MANY)
    return isAdmitted
  })
}

function toRows(uses: readonly OwnUse[]): readonly UsageRecord[] {
  const tally = new Tally(Number.POSITIVE_INFINITY)
  for (const { keyId, organizationId, method, endpoint, status, duration, at } of uses) {
    tally.count(keyId, organizationId, method, endpoint, status, duration, at)
  }
  return rollUp(tally.counters, tally.overall)
}

/** As `UsageService.report`. @param now epoch ms */
export async function reportUses(
  options: ReportOptions,
  events: readonly ReportedUse[],
  actor: Actor,
  now: number,
): Promise<UsageReport> {
  if (!Array.isArray(events) || events.length < 1 || events.length > MOST_USES) {
    throw invalidField('events', `must be a list of 1 to ${MOST_USES}`)
  }
  const rejections: Rejections = new Map()
  const reached = await withinReach(options, readAll(events, now, rejections), actor, rejections)
  const uses = withinBound(options, reached, now, rejections)
  let accepted = 0
  for (let start = 0; start < uses.length; start += BATCH) {
    if (start > 0) await breathe()
    accepted += (await options.store.accept(uses.slice(start, start + BATCH), toRows, now)).length
  }
  return {
    accepted,
    duplicates: uses.length - accepted,
    rejected: [...rejections].sort(([one], [other]) => one - other).map(([index, reason]) => ({ index, reason })),
  }
}
