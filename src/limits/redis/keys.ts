/** The names under which limits are in Redis: nothing of a subject can be read in them. */
import type { Rate } from '../rate.ts'
import { letterOf } from './strategy.ts'

/** Characters of base64url: 162 bits. */
const LENGTH = 27

function hashOf(form: string, place: string, subject: string): string {
  // With its length before it, no place and subject read like another two.
  return Bun.SHA256.hash(`${form} ${place.length}:${place}${subject}`, 'base64url').slice(0, LENGTH)
}

/** What must be equal for two rates to be counted in one state: processes of two versions of an app may differ in it. */
function formOf(rate: Rate): string {
  const letter = letterOf(rate)
  return letter === 'b' ? `b${rate.window}/${rate.limit}/${rate.burst}` : `${letter}${rate.window}`
}

/** @param name the app's own in Redis */
export function rateKey(name: string, place: string, rate: Rate, subject: string): string {
  return `${name}:l:${hashOf(formOf(rate), place, subject)}`
}

/** @param name the app's own in Redis */
export function concurrencyKey(name: string, place: string, subject: string): string {
  return `${name}:c:${hashOf('', place, subject)}`
}
