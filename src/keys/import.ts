/** Taking over keys that were made elsewhere, by the hashes that were stored there. */

import { importLookup, importPepper } from '../authentication/imported-keys/foreign-texts.ts'
import { importedIds } from '../authentication/imported-keys/imported-id.ts'
import { type ApiKeyView, toApiKeyView } from '../authentication/views.ts'
import { type Actor, requirePlatform } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { invalidField } from '../lib/field-errors.ts'
import { parseTimestamp } from '../lib/timestamp.ts'
import type { HashKind, ParsedHash } from '../options/hash-kind.ts'
import type { ApiKeyRecord } from '../storage/records.ts'
import { creationOf } from './creation-event.ts'
import type { NewApiKey } from './new-key.ts'
import { resolveNewRecord } from './new-record.ts'
import type { KeyServiceOptions } from './options.ts'

/** A key that was made elsewhere. Its text is not known here, and need not be. */
export interface ImportedApiKey extends NewApiKey {
  /** The hash as it was stored there, at most 1024 characters. */
  readonly hash: string
  /** The name of one of `apiKeys.importKinds`, such as `sha256`. */
  readonly hashKind: string
  /** The part of the key that may be shown; some kinds find it by that. */
  readonly prefix?: string | null | undefined
  /** When it was made there: RFC 3339 text, or a `Date`. Now unless given. */
  readonly createdAt?: string | Date | null | undefined
}

const MAX_HASH = 1024
/** Visible ASCII, as a key's own text. */
const PREFIX = /^[\x21-\x7e]{1,64}$/

function requireKind({ hashKind }: ImportedApiKey, kinds: readonly HashKind[]): HashKind {
  const kind = kinds.find(({ name }) => name === hashKind)
  if (kind !== undefined) return kind
  const names = kinds.map(({ name }) => name).join(', ')
  throw invalidField(
    'hashKind',
    names === ''
      ? 'names no kind: give the option apiKeys.importKinds one, such as sha256()'
      : `must be one of ${names}`,
  )
}

async function parseHash(kind: HashKind, { hash, prefix: given }: ImportedApiKey): Promise<ParsedHash> {
  const prefix = given ?? null
  if (prefix !== null && (typeof prefix !== 'string' || !PREFIX.test(prefix))) {
    throw invalidField('prefix', 'must be 1 to 64 characters of visible ASCII')
  }
  const parsed = typeof hash === 'string' && hash.length <= MAX_HASH ? kind.parse(hash, prefix) : null
  if (parsed === null) {
    throw invalidField(
      'hash',
      `must be a hash of the kind ${kind.name}, with the prefix of its key where the kind needs it`,
    )
  }
  // It is shown in every list.
  if (prefix !== null && !kind.isSlow && (await kind.verify(prefix, parsed.hash))) {
    throw invalidField('prefix', 'must be the part of the key that may be shown, not the key')
  }
  return parsed
}

/** @param now epoch ms */
function resolveCreatedAt({ createdAt }: ImportedApiKey, now: number): number {
  if (createdAt === undefined || createdAt === null) return now
  const time = typeof createdAt === 'string' ? parseTimestamp(createdAt) : createdAt.getTime()
  if (time !== null && time >= 0 && time <= now) return time
  throw invalidField('createdAt', 'must be an RFC 3339 time such as 2030-01-31T12:00:00Z, and not in the future')
}

function importedBefore(): MachineAuthError {
  return new MachineAuthError('conflict', {
    detail: 'hash: a key with this hash was imported already.',
    errors: [{ path: 'hash', message: 'is taken' }],
  })
}

/** As `KeyService.import`. */
export async function importKey(options: KeyServiceOptions, input: ImportedApiKey, actor: Actor): Promise<ApiKeyView> {
  const { keys, hasher, importKinds, clock, audit } = options
  // Who brings a hash may know its text: that is making a key for whomever he says.
  requirePlatform(actor)
  const now = clock()
  const kind = requireKind(input, importKinds)
  const parsed = await parseHash(kind, input)
  // What it could do elsewhere is for who brings it to say: the defaults are for keys that are made here.
  const wanted = { ...input, permissions: input.permissions ?? [] }
  const record = await resolveNewRecord(options, wanted, actor, now, resolveCreatedAt(input, now))
  if (record.expiresAt !== null && record.expiresAt <= now) {
    throw invalidField('createdAt', 'must not be longer ago than the organization lets its keys live')
  }
  const lookup = importLookup(kind.name, parsed.lookup)
  const [id, ...former] = importedIds(hasher, lookup)
  for (const known of former) if ((await keys.find(known)) !== null) throw importedBefore()
  const key: ApiKeyRecord = {
    ...record,
    id,
    // As of ours: it says where it comes from, and is found by its id.
    prefix: input.prefix ?? `${kind.name}_${id.slice('key_'.length)}`,
    hash: parsed.hash,
    pepper: importPepper(kind.name),
    lookup,
  }
  await insertOnce(options, key)
  const { organizationId } = key
  const details = { ...creationOf(key), hashKind: kind.name }
  await audit.record({ action: 'key.imported', actor, subject: id, organizationId, details })
  return toApiKeyView(key, now)
}

async function insertOnce({ keys }: Pick<KeyServiceOptions, 'keys'>, key: ApiKeyRecord): Promise<void> {
  try {
    await keys.insert(key)
  } catch (error) {
    // Its id says so as well, which storage takes for a fault: ours never clash.
    if ((await keys.find(key.id)) !== null) throw importedBefore()
    throw error
  }
}
