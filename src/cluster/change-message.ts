/** A change as it is told between processes: its kind, a space, its subject. PostgreSQL's transactions write the same. */
import type { ChangeKind } from '../storage/records.ts'
import type { Change } from './change-bell.ts'

/** Longer ones are none of ours: PostgreSQL carries 8000 bytes, an id or an address range takes far less. */
const LONGEST_SUBJECT = 256

/** A table, so that a new kind cannot be forgotten here. */
const KINDS: Readonly<Record<ChangeKind, true>> = {
  key: true,
  user: true,
  organization: true,
  family: true,
  token: true,
  session: true,
  role: true,
  block: true,
  signing_key: true,
}

function isKind(text: string): text is ChangeKind {
  return Object.hasOwn(KINDS, text)
}

export function formatChange({ kind, subject }: Change): string {
  return `${kind} ${subject}`
}

/** @returns null for what no process of ours sends */
export function parseChange(text: unknown): Change | null {
  if (typeof text !== 'string') return null
  const space = text.indexOf(' ')
  const kind = text.slice(0, Math.max(0, space))
  const subject = text.slice(space + 1)
  return isKind(kind) && subject !== '' && subject.length <= LONGEST_SUBJECT ? { kind, subject } : null
}
