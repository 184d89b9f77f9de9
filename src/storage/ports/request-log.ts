import type { RequestLogRecord } from '../records.ts'
import type { Page, PageRequest } from './page.ts'

/** All that are given must hold. */
export interface RequestLogFilter {
  readonly requestId?: string | undefined
  readonly keyId?: string | undefined
  readonly userId?: string | undefined
  readonly organizationId?: string | undefined
  readonly method?: string | undefined
  /** The route's pattern. */
  readonly route?: string | undefined
  readonly status?: number | undefined
  /** Epoch ms, inclusive. */
  readonly from?: number | undefined
  /** Epoch ms, exclusive. */
  readonly to?: number | undefined
}

export interface RequestLogStore {
  /** Adds entries in one transaction; one whose id is there already is left as it is, so that it may be tried again. */
  append(entries: readonly RequestLogRecord[]): Promise<void>
  /** Where no index helps, a page may end with less than its limit, even with nothing, and a cursor that goes on. */
  list(filter: RequestLogFilter, page: PageRequest): Promise<Page<RequestLogRecord>>
  /** Deletes entries from before `before` (epoch ms), at most `limit`; answers how many. */
  purge(before: number, limit: number): Promise<number>
}
