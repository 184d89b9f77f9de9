/** What a metric is called, what it means, and how its figures are read at a scrape. */
import type { Distribution } from './distribution.ts'

/** Values come from closed tables only: what a request sends must never make a new one. */
export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

export interface DistributionSample {
  readonly labels?: Labels
  readonly distribution: Distribution
}

interface Description {
  readonly name: string
  /** One sentence for somebody who has never read our code. */
  readonly help: string
  readonly labels?: readonly string[]
}

export type Family = Description &
  (
    | { readonly type: 'counter' | 'gauge'; read(): readonly Sample[] }
    | { readonly type: 'histogram'; read(): readonly DistributionSample[] }
  )
