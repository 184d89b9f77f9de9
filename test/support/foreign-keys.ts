/** Keys as other systems made and stored them. */
import { createHash, pbkdf2Sync, randomBytes } from 'node:crypto'
import { djangoPbkdf2, type HashKind, type MachineAuthOptions, sha256, sha256Pepper } from '../../src/index.ts'
import { createTestApp, type TestApp, withBearer, withKey } from './test-app.ts'

export const OLD_PEPPER = 'the-pepper-of-the-system-before'

export interface ForeignKey {
  readonly text: string
  readonly hash: string
  readonly prefix?: string
}

const random = (bytes: number) => randomBytes(bytes).toString('base64url').replaceAll(/[-_]/g, 'x')
const digest = (text: string) => createHash('sha256').update(text)

function makeDjango(iterations = 1000): ForeignKey {
  const prefix = random(6)
  const text = `${prefix}.${random(24)}`
  const salt = random(16)
  const derived = pbkdf2Sync(text, salt, iterations, 32, 'sha256').toString('base64')
  return { text, hash: `pbkdf2_sha256$${iterations}$${salt}$${derived}`, prefix }
}

/** A key of each kind, made by its original scheme. */
export const FOREIGN = {
  sha256() {
    const text = `bk_${random(24)}`
    return { text, hash: digest(text).digest('hex') }
  },
  'sha256 in base64url'() {
    const text = random(32)
    return { text, hash: digest(text).digest('base64url') }
  },
  'sha256-pepper'() {
    const text = `kg.${random(24)}`
    return { text, hash: digest(text + OLD_PEPPER).digest('hex') }
  },
  'django-pbkdf2': makeDjango,
} as const satisfies Readonly<Record<string, () => ForeignKey>>

export const FOREIGN_NAMES = Object.keys(FOREIGN) as readonly (keyof typeof FOREIGN)[]

export const kindOf = (name: keyof typeof FOREIGN) => (name === 'sha256 in base64url' ? 'sha256' : name)

/** Kinds that count how often they verified. */
export function countedKinds() {
  const verified: string[] = []
  const counted = (kind: HashKind): HashKind => ({
    ...kind,
    verify(text, hash) {
      verified.push(kind.name)
      return kind.verify(text, hash)
    },
  })
  return { kinds: [sha256(), sha256Pepper(OLD_PEPPER), djangoPbkdf2()].map(counted), verified }
}

/** An application that takes keys of every kind. */
export async function createImportingApp(
  options: MachineAuthOptions<string, object> = {},
  kinds: readonly HashKind[] | null = countedKinds().kinds,
): Promise<TestApp> {
  const importKinds = kinds === null ? {} : { importKinds: kinds }
  return createTestApp({ ...options, apiKeys: { defaultRateLimit: false, ...options.apiKeys, ...importKinds } })
}

/** Makes a key elsewhere and imports it here. */
export async function addForeignKey(
  { core }: Pick<TestApp, 'core'>,
  name: keyof typeof FOREIGN,
  more: Partial<Parameters<TestApp['core']['keys']['import']>[0]> = {},
) {
  const { text, hash, prefix }: ForeignKey = FOREIGN[name]()
  const key = await core.keys.import({ name: 'foreign', hash, hashKind: kindOf(name), prefix, ...more })
  return { id: key.id, key, text, hash, headers: withKey(text) }
}

/** Ways in which a foreign key may come. */
export const CARRIERS: readonly (readonly [string, (text: string) => Readonly<Record<string, string>>])[] = [
  ['X-API-Key', withKey],
  ['ApiKey', (text) => ({ authorization: `ApiKey ${text}` })],
  ['machine_auth', (text) => ({ authorization: `machine_auth ${text}` })],
  ['Bearer', withBearer],
]
