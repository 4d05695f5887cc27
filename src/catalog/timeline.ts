import { type Stamp, wallMsOf } from '../crdt/stamp.ts'

/** An entry's place in the order of time. */
export interface Place {
  readonly stamp: Stamp
  readonly id: string
  readonly registerKey: string
}

/** Places that are gone are cleared away when they are this part of all: a full log loses an entry with every write. */
const gonePart = 1 / 8

/** Where the entries of the log stand in time. They come almost in order, so that sorting costs little. */
export class Timeline {
  /** Oldest first once they are sorted; those that are gone may be among them. */
  #places: Place[] = []
  #sorted = true
  readonly #gone = new Set<string>()

  /** An entry that is not there. */
  add(place: Place): void {
    if (this.#gone.has(place.registerKey)) this.#clearAway()
    this.#places.push(place)
    this.#sorted = false
  }

  /** An entry that is there. */
  remove(registerKey: string): void {
    this.#gone.add(registerKey)
    if (this.#gone.size > this.#places.length * gonePart) this.#clearAway()
  }

  *registerKeys(): Iterable<string> {
    for (const { registerKey } of this.#places) if (!this.#gone.has(registerKey)) yield registerKey
  }

  /** Those below a cursor, from a moment (inclusive) to a moment (exclusive), in wall clock ms. */
  *newestFirst({ cursor, fromMs = 0, toMs = Number.POSITIVE_INFINITY }: TimelineQuery): Iterable<Place> {
    if (!this.#sorted) this.#places.sort(byTime)
    this.#sorted = true
    const places = this.#places
    const below = cursor === undefined ? places.length : places.findLastIndex((place) => cursorOf(place) < cursor) + 1
    for (let i = below - 1; i >= 0; i--) {
      const place = places[i] as Place
      const ms = wallMsOf(place.stamp)
      if (ms < fromMs) return
      if (ms < toMs && !this.#gone.has(place.registerKey)) yield place
    }
  }

  #clearAway(): void {
    this.#places = this.#places.filter(({ registerKey }) => !this.#gone.has(registerKey))
    this.#gone.clear()
  }
}

export interface TimelineQuery {
  readonly cursor?: string
  readonly fromMs?: number
  readonly toMs?: number
}

/** Sorts as text as the entries do in time. */
export function cursorOf({ stamp, id }: Place): string {
  return `${stamp}.${id}`
}

function byTime(a: Place, b: Place): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? -1 : 1
  return a.id < b.id ? -1 : 1
}
