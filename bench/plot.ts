/** Plots as SVG: bars and lines, in tones that can be read on a light and on a dark page. */

export type Tone = 'own' | 'reference' | 'other' | 'muted'

export interface Bar {
  readonly label: string
  readonly value: number
  /** What stands at its end. */
  readonly text: string
  readonly tone: Tone
}

export interface Series {
  readonly name: string
  readonly tone: Tone
  /** In the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

interface Titles {
  readonly title: string
  readonly subtitle: string
}

export interface LinePlot extends Titles {
  readonly x: { readonly label: string; readonly isLogarithmic?: boolean }
  readonly y: { readonly label: string }
  readonly series: readonly Series[]
}

/** As far from white as from the black of dark pages. */
const TONES: Readonly<Record<Tone, string>> = {
  own: '#2f81f7',
  reference: '#2da44e',
  other: '#d4762c',
  muted: '#8b949e',
}
const INK = '#737d88'
const GRID = '#8b949e'
const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'
const WIDTH = 760
const MARGIN = 20
/** Of a letter at 13 px, on average. */
const LETTER = 7.3

const escapeText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const round = (value: number) => String(Math.round(value * 10) / 10)

interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly size?: number
  readonly isBold?: boolean
  readonly fill?: string
}

function text(
  x: number,
  y: number,
  words: string,
  { anchor = 'start', size = 13, isBold, fill = INK }: TextOptions = {},
) {
  const weight = isBold === true ? ' font-weight="600"' : ''
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}"${weight} fill="${fill}">${escapeText(words)}</text>`
}

function line(x1: number, y1: number, x2: number, y2: number, opacity: number): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${GRID}" stroke-opacity="${opacity}"/>`
}

function frame(height: number, { title, subtitle }: Titles, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="${FONT}">`,
    `<title>${escapeText(title)}</title>`,
    text(MARGIN, 28, title, { size: 16, isBold: true }),
    text(MARGIN, 48, subtitle, { size: 12 }),
    ...content,
    '</svg>\n',
  ].join('\n')
}

/** Steps of 1, 2 or 5 times a power of ten, from 0 to the first that is not below the greatest value. */
export function ticksUpTo(greatest: number, wanted = 5): readonly number[] {
  if (!(greatest > 0)) return [0, 1]
  const rough = greatest / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const count = Math.ceil(greatest / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}

/** The powers of ten from the one that is not above the least value. */
export function powersOfTen(least: number, greatest: number): readonly number[] {
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(greatest))]
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index))
}

const BAR = 22
const BAR_STEP = 32

/** One bar below the other, each with its figure. */
export function renderBars({ bars, ...titles }: Titles & { readonly bars: readonly Bar[] }): string {
  const top = 68
  const left = MARGIN + Math.max(...bars.map(({ label }) => label.length)) * LETTER + 12
  const room = Math.max(...bars.map((bar) => bar.text.length)) * LETTER + 12
  const greatest = Math.max(...bars.map(({ value }) => value))
  const scale = (WIDTH - MARGIN - room - left) / greatest
  const height = top + bars.length * BAR_STEP + 12
  const content = bars.flatMap(({ label, value, text: words, tone }, index) => {
    const y = top + index * BAR_STEP
    const length = Math.max(1.5, value * scale)
    const isBold = tone === 'own'
    return [
      text(left - 10, y + 16, label, { anchor: 'end', isBold }),
      `<rect x="${round(left)}" y="${y}" width="${round(length)}" height="${BAR}" rx="2" fill="${TONES[tone]}"/>`,
      text(left + length + 8, y + 16, words, { isBold }),
    ]
  })
  return frame(height, titles, [line(left, top - 6, left, height - 12, 0.6), ...content])
}

const PLOT = { left: 70, top: 84, right: WIDTH - MARGIN, bottom: 340 } as const
const HEIGHT = 400

/** Lines over one pair of axes; y begins at 0. */
export function renderLines({ x, y, series, ...titles }: LinePlot): string {
  const points = series.flatMap((each) => each.points)
  const [xs, ys] = [points.map(([value]) => value), points.map(([, value]) => value)]
  const [least, greatest] = [Math.min(...xs), Math.max(...xs)]
  const yTicks = ticksUpTo(Math.max(...ys))
  const xTicks = x.isLogarithmic === true ? powersOfTen(least, greatest) : ticksUpTo(greatest, 8)
  const along = (value: number) => (x.isLogarithmic === true ? Math.log10(value) : value)
  const [first, last] = [along(xTicks[0] ?? 0), along(xTicks.at(-1) ?? 1)]
  const toX = (value: number) =>
    PLOT.left + ((along(value) - first) / (last - first || 1)) * (PLOT.right - PLOT.left - 20)
  const toY = (value: number) => PLOT.bottom - (value / (yTicks.at(-1) ?? 1)) * (PLOT.bottom - PLOT.top)

  const grid = yTicks.flatMap((tick) => [
    line(PLOT.left, toY(tick), PLOT.right, toY(tick), tick === 0 ? 0.7 : 0.25),
    text(PLOT.left - 10, toY(tick) + 4, tick.toLocaleString('en'), { anchor: 'end', size: 12 }),
  ])
  const marks = xTicks.flatMap((tick) => [
    line(toX(tick), PLOT.bottom, toX(tick), PLOT.bottom + 5, 0.7),
    text(toX(tick), PLOT.bottom + 20, tick.toLocaleString('en'), { anchor: 'middle', size: 12 }),
  ])
  // Dots are for few points; many are a line by themselves.
  const isDotted = points.length <= 40
  const lines = series.flatMap(({ tone, points: own }) => {
    const path = own.map(([at, value]) => `${round(toX(at))},${round(toY(value))}`)
    const color = TONES[tone]
    return [
      `<polyline points="${path.join(' ')}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round"/>`,
      ...(isDotted
        ? own.map(([at, value]) => `<circle cx="${round(toX(at))}" cy="${round(toY(value))}" r="3.5" fill="${color}"/>`)
        : []),
    ]
  })
  return frame(HEIGHT, titles, [
    ...legend(series),
    text(PLOT.right, PLOT.top - 10, y.label, { anchor: 'end', size: 12 }),
    ...grid,
    ...marks,
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 44, x.label, { anchor: 'middle', size: 12 }),
    ...lines,
  ])
}

function legend(series: readonly Series[]): readonly string[] {
  let at = PLOT.left
  return series.flatMap(({ name, tone }) => {
    const x = at
    at += name.length * LETTER + 46
    return [
      `<rect x="${round(x)}" y="${PLOT.top - 18}" width="18" height="4" rx="2" fill="${TONES[tone]}"/>`,
      text(x + 24, PLOT.top - 10, name, { isBold: tone === 'own' }),
    ]
  })
}
