/** What a TypeScript file imports, types included (a bundler's scanner drops those). */

export interface ImportReference {
  readonly specifier: string
  /** Erased by the compiler: `import type`, `export type … from`, or only inline `type` names. */
  readonly typeOnly: boolean
  readonly line: number
}

interface Token {
  readonly kind: 'word' | 'text' | 'mark'
  readonly value: string
  readonly line: number
}

/** After these a slash starts a regular expression, after anything else it divides. */
const BEFORE_REGEX = new Set(['return', 'typeof', 'case', 'in', 'of', 'do', 'else', 'void', 'delete', 'throw', 'await'])

const PATTERNS = {
  space: /\s+/y,
  comment: /\/\/[^\n]*|\/\*[\s\S]*?\*\//y,
  text: /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y,
  template: /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y,
  regex: /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y,
  word: /[\p{ID_Start}$_#][\p{ID_Continue}$]*|\d[\w.]*/uy,
}

function startsRegex(previous: Token | undefined): boolean {
  if (previous === undefined) return true
  if (previous.kind === 'text') return false
  if (previous.kind === 'word') return BEFORE_REGEX.has(previous.value)
  return previous.value !== ')' && previous.value !== ']' && previous.value !== '}'
}

/** Splits source into words, string literals and single marks; comments, regular expressions and templates vanish. */
function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  /** One entry per open template: how many braces are open inside its current `${`. */
  const templates: number[] = []
  let at = 0
  let line = 1

  function take(pattern: RegExp): string | null {
    pattern.lastIndex = at
    const found = pattern.exec(source)?.[0]
    if (found === undefined) return null
    at += found.length
    line += found.split('\n').length - 1
    return found
  }

  function takeTemplate(): void {
    take(PATTERNS.template)
    if (source.startsWith('${', at)) templates.push(0)
    at += source.startsWith('${', at) ? 2 : 1
  }

  while (at < source.length) {
    if (take(PATTERNS.space) !== null || take(PATTERNS.comment) !== null) continue
    if (startsRegex(tokens.at(-1)) && take(PATTERNS.regex) !== null) {
      tokens.push({ kind: 'text', value: '', line })
      continue
    }
    const start = line
    const text = take(PATTERNS.text)
    if (text !== null) {
      tokens.push({ kind: 'text', value: text.slice(1, -1), line: start })
      continue
    }
    const word = take(PATTERNS.word)
    if (word !== null) {
      tokens.push({ kind: 'word', value: word, line: start })
      continue
    }
    const mark = source.charAt(at)
    at += 1
    const open = templates.at(-1)
    if (mark === '`') {
      tokens.push({ kind: 'text', value: '', line: start })
      takeTemplate()
    } else if (mark === '}' && open === 0) {
      templates.pop()
      takeTemplate()
    } else {
      if (open !== undefined && mark === '{') templates[templates.length - 1] = open + 1
      if (open !== undefined && mark === '}') templates[templates.length - 1] = open - 1
      tokens.push({ kind: 'mark', value: mark, line: start })
    }
  }
  return tokens
}

/** Whether `{ type A, type B }` names nothing that survives the compiler. */
function onlyTypes(clause: readonly Token[]): boolean {
  const first = clause[0]
  if (first?.value === 'type' && clause.length > 1 && clause[1]?.value !== ',') return true
  if (first?.value !== '{') return false
  const names: Token[][] = [[]]
  for (const token of clause.slice(
    1,
    clause.findLastIndex((one) => one.value === '}'),
  )) {
    if (token.value === ',') names.push([])
    else names.at(-1)?.push(token)
  }
  const named = names.filter((name) => name.length > 0)
  return named.length > 0 && named.every((name) => name[0]?.value === 'type' && name.length > 1)
}

/** The statement that starts at `index` with `import` or `export`, when it names another module. */
function readStatement(tokens: readonly Token[], index: number): ImportReference | null {
  const head = tokens[index]
  const next = tokens[index + 1]
  if (head === undefined || next === undefined || tokens[index - 1]?.value === '.') return null
  if (head.value === 'import' && next.kind === 'text') {
    return { specifier: next.value, typeOnly: false, line: head.line }
  }
  if (head.value === 'import' && next.value === '(') {
    const argument = tokens[index + 2]
    return argument?.kind === 'text' ? { specifier: argument.value, typeOnly: false, line: head.line } : null
  }
  const opens = next.value === '{' || next.value === '*' || next.value === 'type'
  if (head.value === 'export' ? !opens : next.kind !== 'word' && !opens) return null
  for (let end = index + 1; end < tokens.length; end += 1) {
    const token = tokens[end]
    const target = tokens[end + 1]
    if (token?.kind === 'word' && token.value === 'from' && target?.kind === 'text') {
      return { specifier: target.value, typeOnly: onlyTypes(tokens.slice(index + 1, end)), line: head.line }
    }
    const belongs = token?.kind === 'word' || (token?.kind === 'mark' && '{},*'.includes(token.value))
    if (!belongs) return null
  }
  return null
}

/**
 * Every module a source text imports or re-exports from, statically, dynamically or in a type.
 *
 * @param text TypeScript; not checked beyond what finding imports needs
 */
export function scanImports(text: string): ImportReference[] {
  // Bun's parser takes the first line of an executable for source.
  const source = text.replace(/^#!.*/, '')
  const tokens = tokenize(source)
  const found: ImportReference[] = []
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' || (token.value !== 'import' && token.value !== 'export')) continue
    const reference = readStatement(tokens, index)
    if (reference !== null && reference.specifier !== '') found.push(reference)
  }
  // A second opinion: should the tokenizer lose its way, Bun's own parser still sees every import that runs.
  const known = new Set(found.map((reference) => reference.specifier))
  for (const { path } of new Bun.Transpiler({ loader: 'ts' }).scanImports(source)) {
    if (!known.has(path)) found.push({ specifier: path, typeOnly: false, line: 0 })
  }
  return found
}
