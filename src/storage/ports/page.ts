/** A page of a list, newest first unless said otherwise. `cursor` is opaque to callers. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

export interface PageRequest {
  readonly cursor?: string | undefined
  /** 1 to 100. */
  readonly limit: number
  /** Of lists whose filter has none; newest first unless it says otherwise. */
  readonly order?: 'asc' | 'desc' | undefined
}
