/** What is wrong with given options, collected so that a person sees all of it at once. */
import { formatDuration } from '../lib/duration.ts'
import { faultOfDatabase, maskDatabase } from './database.ts'
import { faultOfRedis, maskRedis } from './redis.ts'

/** One mistake. No member ever holds a secret. */
export interface Mistake {
  /** Where: `jwt.accessTtl`, `protect[0].path`. */
  readonly path: string
  /** The file or environment variable it came from; undefined for options given in code. */
  readonly source: string | undefined
  /** What was given, masked where it may be a secret. */
  readonly given: string
  readonly accepted: string
}

/** Thrown at start when options are wrong: one line of the message for each mistake. */
export class OptionsError extends TypeError {
  override readonly name = 'OptionsError'
  readonly mistakes: readonly Mistake[]

  constructor(mistakes: readonly Mistake[], cause?: unknown) {
    const title = mistakes.length === 1 ? 'machine-auth: an option is wrong' : 'machine-auth: options are wrong'
    const lines = mistakes.map(({ path, source, given, accepted }) => {
      const where = source === undefined || source === path ? path : `${path} (${source})`
      return `  ${where}: given ${given}; accepted: ${accepted}`
    })
    super([title, ...lines].join('\n'), cause === undefined ? undefined : { cause })
    this.mistakes = Object.freeze([...mistakes])
    // A start that fails prints the error whole, and the message has it all.
    Object.defineProperty(this, 'mistakes', { enumerable: false })
  }
}

const MAX_SHOWN = 80

/** The kind of a value, for when the value itself must not show. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function maskSecret(value: unknown): string {
  return typeof value === 'string' && value !== '' ? `*** (${Buffer.byteLength(value)} bytes)` : kindOf(value)
}

function showText(value: string): string {
  const withoutUserinfo = value.replace(/\/\/[^/]*@/, '//***@')
  return JSON.stringify(
    withoutUserinfo.length > MAX_SHOWN ? `${withoutUserinfo.slice(0, MAX_SHOWN)}…` : withoutUserinfo,
  )
}

/** Shows what a mask leaves of a text, and says what is wrong with what it hides. */
function maskedBy(mask: (text: string) => string, faultOf: (text: string) => string | null) {
  return (value: unknown): string => {
    if (typeof value !== 'string' || value === '') return kindOf(value)
    const fault = faultOf(value)
    return showText(mask(value)) + (fault === null ? '' : `, which ${fault}`)
  }
}

/** Options whose values are secrets or contain them, by their first segment. */
const MASKS: ReadonlyMap<string, (value: unknown) => string> = new Map([
  ['secret', maskSecret],
  ['masterKey', maskSecret],
  ['database', maskedBy(maskDatabase, faultOfDatabase)],
  ['redis', maskedBy(maskRedis, faultOfRedis)],
])

/** Describes a given value for a message: short, one line, never a secret. */
export function describeGiven(option: string, value: unknown): string {
  const mask = MASKS.get(option)
  if (mask !== undefined) return mask(value)
  if (typeof value === 'string' && value !== '') return showText(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}

/** Writes a duration as it is given in code. @param milliseconds a whole number, not negative */
export function quotedDuration(milliseconds: number): string {
  return `'${formatDuration(milliseconds)}'`
}

/** A place in the options: names, and indexes of lists. */
export type OptionPath = readonly string[]

/** Writes a path as in code: `roles["a b"]`, `protect[0].path`. */
export function formatPath(path: OptionPath): string {
  return path.reduce((text, segment) => {
    if (/^[0-9]+$/.test(segment)) return `${text}[${segment}]`
    if (!/^[A-Za-z_$][\w$]*$/.test(segment)) return `${text}[${JSON.stringify(segment.slice(0, MAX_SHOWN))}]`
    return text === '' ? segment : `${text}.${segment}`
  }, '')
}

/** Collects mistakes and warnings while options are resolved. */
export class Report {
  readonly warnings: string[] = []
  readonly #mistakes: Mistake[] = []
  readonly #sourceOf: (path: OptionPath) => string | undefined
  #cause: unknown

  /** @param sourceOf the file or environment variable that gave an option */
  constructor(sourceOf: (path: OptionPath) => string | undefined = () => undefined) {
    this.#sourceOf = sourceOf
  }

  /** @param given already masked, as by `describeGiven` */
  add(path: OptionPath, given: string, accepted: string): void {
    const text = formatPath(path)
    // The first mistake of a place explains it; the others follow from it.
    if (this.#mistakes.some((mistake) => mistake.path === text)) return
    this.#mistakes.push({ path: text, source: this.#sourceOf(path), given, accepted })
  }

  /** A mistake of a whole file or environment variable. */
  addSource(source: string, given: string, accepted: string, cause?: unknown): void {
    this.#mistakes.push({ path: source, source, given, accepted })
    this.#cause ??= cause
  }

  takeFrom(other: Report): void {
    this.#mistakes.push(...other.#mistakes)
    this.warnings.push(...other.warnings)
    this.#cause ??= other.#cause
  }

  warn(text: string): void {
    this.warnings.push(text)
  }

  /** @throws OptionsError when there is a mistake */
  throwMistakes(): void {
    if (this.#mistakes.length > 0) throw new OptionsError(this.#mistakes, this.#cause)
  }
}
