/** A map by slots. JavaScript's own takes 50 to 100 bytes for each, besides what it holds; this one takes 20 to 35. */

const FIRST = 12
/** Places for each that is held: so many that one is found after few steps. */
const PLACES = 1.5
const GROWTH = 1.5
/** Where something was taken out. */
const GONE = -1

/** Where a slot is looked for first, from 0 to 1. Slots are close to random; those that are not are spread by this. */
function spread(slot: number): number {
  const mixed = Math.imul(slot ^ Math.floor(slot / 0x1_00_00_00), 0x9e3779b1)
  return (mixed >>> 0) / 0x1_00_00_00_00
}

/** Slots are whole numbers from 0 on. What is held is in the order in which it came; a table of places finds it. */
export class SlotMap<V> {
  /** Where in `#slots` what belongs here is, counted from 1 on; 0 for a free place. */
  #places = new Uint32Array(FIRST * PLACES)
  #slots = new Float64Array(FIRST)
  #values: (V | undefined)[] = []
  #size = 0
  /** Before this all are gone. */
  #first = 0

  get size(): number {
    return this.#size
  }

  get(slot: number): V | undefined {
    const index = this.#indexAt(this.#find(slot))
    return index === GONE ? undefined : this.#values[index]
  }

  set(slot: number, value: V): void {
    const index = this.#indexAt(this.#find(slot))
    if (index !== GONE) {
      this.#values[index] = value
      return
    }
    if (this.#values.length === this.#slots.length) this.#rebuild()
    this.#append(slot, value)
  }

  delete(slot: number): void {
    const place = this.#find(slot)
    const index = this.#indexAt(place)
    if (index === GONE) return
    this.#slots[index] = GONE
    this.#values[index] = undefined
    this.#size -= 1
    this.#close(place)
  }

  /** The slot that came before all others; undefined when nothing is held. */
  first(): number | undefined {
    if (this.#size === 0) return undefined
    while (this.#slots[this.#first] === GONE) this.#first += 1
    return this.#slots[this.#first]
  }

  #append(slot: number, value: V): void {
    const place = this.#find(slot)
    this.#slots[this.#values.length] = slot
    this.#values.push(value)
    this.#places[place] = this.#values.length
    this.#size += 1
  }

  #indexAt(place: number): number {
    return (this.#places[place] ?? 0) - 1
  }

  /** Where a slot has its place, or would have it. */
  #find(slot: number): number {
    let place = Math.floor(spread(slot) * this.#places.length)
    for (;;) {
      const index = this.#indexAt(place)
      if (index === GONE || this.#slots[index] === slot) return place
      place = this.#after(place)
    }
  }

  #after(place: number): number {
    return place + 1 === this.#places.length ? 0 : place + 1
  }

  /** Frees a place. Whoever comes behind it moves up, unless that were before where he is looked for first. */
  #close(freed: number): void {
    const { length } = this.#places
    let gap = freed
    for (let place = this.#after(gap); ; place = this.#after(place)) {
      const index = this.#indexAt(place)
      if (index === GONE) break
      const wanted = Math.floor(spread(this.#slots[index] ?? 0) * length)
      if ((place - wanted + length) % length < (place - gap + length) % length) continue
      this.#places[gap] = index + 1
      gap = place
    }
    this.#places[gap] = 0
  }

  /** Without what is gone, and with room for more. */
  #rebuild(): void {
    const slots = this.#slots
    const values = this.#values
    const room = Math.max(FIRST, Math.ceil(this.#size * GROWTH))
    this.#places = new Uint32Array(Math.ceil(room * PLACES))
    this.#slots = new Float64Array(room)
    this.#values = []
    this.#size = 0
    this.#first = 0
    for (const [index, slot] of slots.entries()) {
      const value = values[index]
      if (slot !== GONE && value !== undefined) this.#append(slot, value)
    }
  }
}
