import type { RegisterRecord } from '../crdt/register.ts'
import type { RegisterMap } from '../crdt/register-map.ts'

type Place = Pick<RegisterRecord, 'stamp' | 'key'>

/** Places of registers that are gone, and that the heap may hold beside as many as are there. */
const stalePlacesMax = 1_000

/**
 * Keeps the newest `entriesMax` entries under `log|`. No clock has a say: the newest N of a union are the newest N of the parts' newest N,
 * so to take in and to cut off is again a merge that is associative, commutative and idempotent. A node that has cut off an entry has
 * N newer ones, refuses it from whoever holds it still, and gives that node what makes it cut it off as well.
 *
 * A binary heap, the oldest on top. Places whose register has gone or changed meanwhile stay until they come up, or are too many.
 */
export class LogWindow {
  readonly #map: RegisterMap
  readonly #entriesMax: number
  #heap: Place[] = []
  #entries = 0

  constructor(map: RegisterMap, entriesMax: number) {
    this.#map = map
    this.#entriesMax = entriesMax
  }

  /** False for an entry that is older than all of a full window. */
  admits(entry: Place): boolean {
    if (this.#entries < this.#entriesMax) return true
    const oldest = this.#oldest()
    return oldest === undefined || compareAge(entry, oldest) >= 0
  }

  /** The map has taken this entry in. Returns the key that is to leave for it, if any. */
  onMerged({ stamp, key }: Place, isNew: boolean): string | undefined {
    this.#push({ stamp, key })
    if (isNew) this.#entries++
    if (this.#entries > this.#entriesMax) return this.#oldest()?.key
    if (this.#heap.length > 2 * this.#entries + stalePlacesMax) this.#compact()
    return undefined
  }

  /** The map no longer has this entry. */
  onForgotten(): void {
    this.#entries--
  }

  #oldest(): Place | undefined {
    for (;;) {
      const top = this.#heap[0]
      if (top === undefined || this.#isThere(top)) return top
      this.#pop()
    }
  }

  #isThere({ stamp, key }: Place): boolean {
    return this.#map.get(key)?.stamp === stamp
  }

  /** Sorted is a heap, too. */
  #compact(): void {
    this.#heap = this.#heap.filter((place) => this.#isThere(place)).sort(compareAge)
  }

  #push(place: Place): void {
    let at = this.#heap.push(place) - 1
    while (at > 0 && this.#swapIfOlder(at, (at - 1) >> 1)) at = (at - 1) >> 1
  }

  #pop(): void {
    const last = this.#heap.pop() as Place
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      if (left >= this.#heap.length) return
      const child = right < this.#heap.length && compareAge(this.#at(right), this.#at(left)) < 0 ? right : left
      if (!this.#swapIfOlder(child, at)) return
      at = child
    }
  }

  #swapIfOlder(child: number, parent: number): boolean {
    const [lower, upper] = [this.#at(child), this.#at(parent)]
    if (compareAge(lower, upper) >= 0) return false
    this.#heap[child] = upper
    this.#heap[parent] = lower
    return true
  }

  #at(index: number): Place {
    return this.#heap[index] as Place
  }
}

/** Entries of one write share its stamp, so the key decides among them. */
function compareAge(a: Place, b: Place): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? -1 : 1
  if (a.key === b.key) return 0
  return a.key < b.key ? -1 : 1
}
