/** Reads an SVG as strictly as an XML parser would, as far as the plots go. */

function findUnclosed(svg: string): readonly string[] {
  const open: string[] = []
  const mistakes: string[] = []
  for (const [, slash, name = '', attributes = ''] of svg.matchAll(/<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<]*")*)\s*\/?>/g)) {
    const isAlone = svg.includes(`<${name}${attributes}/>`)
    if (slash === '/') {
      while (open.length > 0 && open.at(-1) !== name) mistakes.push(`${open.pop()} is not closed`)
      if (open.pop() === undefined) mistakes.push(`${name} is closed, but was not open`)
    } else if (!isAlone) open.push(name)
  }
  return [...mistakes, ...open.map((name) => `${name} is not closed`)]
}

function findTextMistakes(svg: string): readonly string[] {
  const left = svg.replaceAll(/<\/?[a-z]+(?:\s[\w:-]+="[^"<]*")*\s*\/?>/g, '\n').split('\n')
  return left.flatMap((text) => [
    ...(/&(?!amp;|lt;|gt;)/.test(text) ? [`a bare & in: ${text}`] : []),
    ...(/[<>]/.test(text) ? [`a bare bracket in: ${text}`] : []),
  ])
}

function findPlaceMistakes(svg: string): readonly string[] {
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? []
  const most: Readonly<Record<string, number>> = { x: Number(width), y: Number(height) }
  const places = [...svg.matchAll(/\s(c?[xy][12]?|width|height|r)="([^"]*)"/g)].flatMap(([, name = '', value = '']) => {
    if (!/^-?[\d.]+$/.test(value)) return [`${name}="${value}"`]
    const bound = most[/[xy]/.exec(name)?.[0] ?? '']
    const isOutside = bound !== undefined && (Number(value) < 0 || Number(value) > bound)
    return isOutside ? [`${name}="${value}" is outside`] : []
  })
  const points = [...svg.matchAll(/points="([^"]*)"/g)].flatMap(([, all = '']) => all.split(' '))
  return [...places, ...points.filter((point) => !/^[\d.]+,[\d.]+$/.test(point))]
}

/** Answers what is wrong, one line each. */
export function findMistakes(svg: string): readonly string[] {
  return [...findUnclosed(svg), ...findTextMistakes(svg), ...findPlaceMistakes(svg)]
}
