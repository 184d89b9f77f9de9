/** What a bench answers: lines of one table, and what it is doing meanwhile. */

export type Goal = { readonly atLeast: number } | { readonly atMost: number }

/** One line of the table of results. */
export interface Result {
  /** `guards`, `peers`, `memory`, … */
  readonly group: string
  readonly name: string
  /** The figure, in `unit`. */
  readonly value: number
  readonly unit: 'ratio' | 'µs' | 'ns' | 'ms' | 'MB' | 'bytes' | 'requests/s' | 'count' | 's'
  /** What it is to be: at least or at most; absent where there is no goal. */
  readonly goal?: Goal
  /** Whether the goal is one of the bench itself, which stands in no table of `goals.ts`. */
  readonly isOwnGoal?: boolean
  /** What it is a ratio to, or what else must be known to read it. */
  readonly note?: string
}

export interface Report {
  /** The line that shows what is being done; replaced by the next. */
  progress(text: string): void
  add(result: Result): void
}

const WIDTH = 78

/** Prints each line as it comes; for a bench that is called by itself. */
export function createPrintingReport(): Report {
  return {
    progress: (text) => process.stderr.write(`\r${text.slice(0, WIDTH).padEnd(WIDTH)}`),
    add: (result) => {
      process.stderr.write(`\r${' '.repeat(WIDTH)}\r`)
      console.log(formatResult(result))
    },
  }
}

const DIGITS: Readonly<Record<Result['unit'], number>> = {
  ratio: 2,
  µs: 2,
  ns: 0,
  ms: 2,
  MB: 1,
  bytes: 0,
  'requests/s': 0,
  count: 0,
  s: 2,
}

/** A ratio of 0.019 is not 0.02, and one of 412 has no hundredths. */
function digitsOfRatio(value: number): number {
  if (value >= 10) return 1
  return value !== 0 && value < 0.1 ? 3 : 2
}

/** Whether a result is what it is to be; null where there is no goal. */
export function isMet({ goal, value }: { readonly goal?: Goal | undefined; readonly value: number }): boolean | null {
  if (goal === undefined) return null
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

const MOST_DIGITS = 6

export function formatFigure({ value, unit, goal }: Pick<Result, 'value' | 'unit' | 'goal'>): string {
  let digits = unit === 'ratio' ? digitsOfRatio(value) : DIGITS[unit]
  // Rounding does not make a goal look met that is missed.
  const isMisleading = () => isMet({ goal, value: Number(value.toFixed(digits)) }) !== isMet({ goal, value })
  while (digits < MOST_DIGITS && isMisleading()) digits += 1
  const figure = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return unit === 'ratio' || unit === 'count' ? figure : `${figure} ${unit}`
}

export function formatGoal({ goal, unit, isOwnGoal }: Pick<Result, 'goal' | 'unit' | 'isOwnGoal'>): string {
  if (goal === undefined) return ''
  const [sign, value] = 'atLeast' in goal ? ['≥', goal.atLeast] : ['≤', goal.atMost]
  const figure = value.toLocaleString('en', { maximumFractionDigits: MOST_DIGITS })
  const words = unit === 'ratio' || unit === 'count' ? `${sign} ${figure}` : `${sign} ${figure} ${unit}`
  return isOwnGoal === true ? `${words} (own)` : words
}

function formatResult(result: Result): string {
  const verdict = isMet(result)
  return [
    `${result.group}: ${result.name}`.padEnd(52),
    formatFigure(result).padStart(16),
    formatGoal(result).padStart(12),
    (verdict === null ? '' : verdict ? 'met' : 'missed').padStart(7),
    result.note === undefined ? '' : `  ${result.note}`,
  ]
    .join(' ')
    .trimEnd()
}
