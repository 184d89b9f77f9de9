/** Tells whoever runs the app that PostgreSQL went away, and why, and that it is back. */
import { Teller } from '../../lib/teller.ts'
import { findTrouble, placeOf, reasonOf } from './postgres-troubles.ts'

/** @param url null for a database of the app */
export function createOutageTeller(
  url: string | null,
  warn: (message: string) => void,
): (failure: { readonly error: unknown } | null) => void {
  const teller = new Teller(warn)
  const name = url === null ? 'PostgreSQL' : `PostgreSQL (${placeOf(url)})`
  async function describe(error: unknown): Promise<string> {
    return `${name} is away: ${reasonOf(await findTrouble(error, url))}; it is asked again by and by`
  }
  return (failure) => teller.tell(failure === null ? `${name} is back` : describe(failure.error))
}
