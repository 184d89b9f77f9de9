/** What `memory-storage.ts` does with the audit log. */
import { MachineAuthError } from '../../src/errors.ts'
import type { AuditFilter, AuditSeal } from '../../src/storage/ports/audit.ts'
import type { PageRequest } from '../../src/storage/ports/page.ts'
import type { AuditMarkRecord, AuditRecord } from '../../src/storage/records.ts'
import { pageOf } from './memory-page.ts'

const isBefore = (a: Pick<AuditRecord, 'at' | 'id'>, b: Pick<AuditRecord, 'at' | 'id'>) =>
  a.at < b.at || (a.at === b.at && a.id < b.id)

export function auditVerbs(events: Map<string, AuditRecord>, marks: Map<string, AuditMarkRecord>) {
  return {
    append(event: AuditRecord) {
      if (events.has(event.id)) throw new MachineAuthError('internal_error')
      events.set(event.id, event)
    },

    list({ from, to, ...same }: AuditFilter, page: PageRequest) {
      const wanted = Object.entries(same).filter(([, value]) => value !== undefined)
      const found = [...events.values()].filter(
        (event) =>
          wanted.every(([name, value]) => Reflect.get(event, name) === value) &&
          (from === undefined || event.at >= from) &&
          (to === undefined || event.at < to),
      )
      return pageOf(found, page, ({ at }) => at)
    },

    listUnsealed(limit: number, after?: Pick<AuditRecord, 'at' | 'id'>): readonly AuditRecord[] {
      return [...events.values()]
        .filter((event) => event.sequence === null && (after === undefined || isBefore(after, event)))
        .sort((a, b) => (isBefore(a, b) ? -1 : 1))
        .slice(0, limit)
    },

    listSealed(afterSequence: number, limit: number): readonly AuditRecord[] {
      return [...events.values()]
        .filter(({ sequence }) => sequence !== null && sequence > afterSequence)
        .sort((a, b) => Number(a.sequence) - Number(b.sequence))
        .slice(0, limit)
    },

    findMark: (name: AuditMarkRecord['name']) => marks.get(name) ?? null,

    seal(from: number | null, seals: readonly AuditSeal[], head: AuditMarkRecord): boolean {
      if ((marks.get('head')?.sequence ?? null) !== from) return false
      const sealed = seals.map((seal) => {
        const event = events.get(seal.id)
        if (event === undefined || event.sequence !== null) throw new MachineAuthError('internal_error')
        return { ...event, ...seal }
      })
      for (const event of sealed) events.set(event.id, event)
      marks.set('head', head)
      return true
    },

    replaceMark(from: AuditMarkRecord | null, to: AuditMarkRecord): boolean {
      if (!Bun.deepEquals(marks.get(to.name) ?? null, from)) return false
      marks.set(to.name, to)
      return true
    },

    purge(checkpoint: AuditMarkRecord): number {
      const standing = marks.get('checkpoint')
      if (standing !== undefined && standing.sequence >= checkpoint.sequence) return 0
      marks.set('checkpoint', checkpoint)
      const gone = [...events.values()].filter(({ sequence }) => sequence !== null && sequence <= checkpoint.sequence)
      for (const { id } of gone) events.delete(id)
      return gone.length
    },
  }
}
