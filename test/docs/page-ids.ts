/** A page shows ids that it made up: each stands for one real id, from where it is shown first to the end of the page. */

const KINDS = '(?:org|user|key|sess|blk|evt|mac_live|mac_test)'
const SHOWN_ID = new RegExp(`\\b(${KINDS})_([0-9A-Za-z]{16})(?![0-9A-Za-z])`, 'g')
const ID_OR_START = new RegExp(`\\b(${KINDS})_([0-9A-Za-z]{4,16})(?![0-9A-Za-z])(_…)?`, 'g')
const RAW_KEY = /\bmac_(?:live|test)_([0-9A-Za-z]{16})_[0-9A-Za-z]{49}/g
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

function withoutSpace(text: string): string {
  return text.replaceAll(/\s+/g, '')
}

export class PageIds {
  /** Real by shown. */
  readonly #ids = new Map<string, string>()
  readonly #rawKeys = new Map<string, string>()
  #accessToken = ''

  /** Commands or code as they must be run: with real ids, keys and tokens. */
  fill(text: string): string {
    return text
      .replaceAll(ID_OR_START, (whole, kind: string, shown: string, secret: string | undefined) => {
        const known = [...this.#ids].find(([name]) => name.startsWith(shown))?.[1]
        if (known === undefined) return whole
        if (secret !== undefined) return this.#rawKeys.get(known) ?? whole
        return `${kind}_${known.slice(0, shown.length)}`
      })
      .replaceAll('eyJ…', () => this.#accessToken)
  }

  /** Remembers what an answer told, also where the page shows less of it. */
  learn(answer: string): void {
    for (const [raw, id = ''] of answer.matchAll(RAW_KEY)) this.#rawKeys.set(id, raw)
    for (const [token] of answer.matchAll(JWT)) this.#accessToken = token
  }

  /**
   * Whether an answer is what a page shows, but for white space, and for `…`, which stands for anything. An id shown
   * for the first time stands for the one in its place from then on.
   */
  matches(answer: string, shown: string): boolean {
    const names: string[] = []
    // White space goes last, so that ids end where they end.
    const marked = shown.replaceAll(SHOWN_ID, (whole, kind: string, id: string) => {
      const known = this.#ids.get(id)
      if (known !== undefined) return `${kind}_${known}`
      const place = names.indexOf(id)
      if (place !== -1) return `${kind}_⟪${place}⟫`
      names.push(id)
      return whole.replace(id, `⟦${names.length - 1}⟧`)
    })
    const pattern = escaped(withoutSpace(marked))
      .replaceAll(/⟦(\d+)⟧/g, '(?<id$1>[0-9A-Za-z]{16})')
      .replaceAll(/⟪(\d+)⟫/g, String.raw`\k<id$1>`)
      .replaceAll('…', '[^]*?')
    const found = new RegExp(`^${pattern}$`).exec(withoutSpace(answer))
    if (found === null) return false
    for (const [index, name] of names.entries()) this.#ids.set(name, found.groups?.[`id${index}`] ?? '')
    return true
  }
}
