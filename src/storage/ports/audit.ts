import type { AuditRecord } from '../records.ts'
import type { Page, PageRequest } from './page.ts'

export interface AuditStore {
  append(event: AuditRecord): Promise<void>
  list(filter: { readonly action?: string | undefined }, page: PageRequest): Promise<Page<AuditRecord>>
}
