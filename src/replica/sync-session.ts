import { packedBytesMax } from '../crdt/delta.ts'
import { bucketCount, fingerprintText } from '../crdt/digest.ts'
import { bucketBits, type KeyRange, partsOf, positionBits, type RangeSummary } from '../crdt/key-range.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import type { Address } from './ports.ts'
import { frameBytesWanted } from './record-frames.ts'
import type { SyncFrame } from './wire-fields.ts'
import { fingerprintBytes, listOf, listOverheadBytes, type RangeList, summaryBytes } from './wire-ranges.ts'

/** Registers in a range that are listed rather than split once more: a list of 32 costs as much as 16 summaries. */
const listedMax = 32

const buckets: readonly KeyRange[] = Array.from({ length: bucketCount }, (_, prefix) => ({ bits: bucketBits, prefix }))

/** What a turn says, but for the standing of who says it. */
export type Turn = Pick<SyncFrame, 'more' | 'done' | 'summaries' | 'lists' | 'wants' | 'records'>

/**
 * One conversation that makes two maps equal. The two sides take turns, a frame each (or several, where only records are left
 * to say: see anti-entropy.ts), and both follow the same rules:
 * a summary that differs from ours is answered by the summaries of its parts, or by a list when we hold few; a list is
 * answered by the records that it lacks and by wants for those that we lack; a want by its records. It is over when one
 * side has nothing to say to a frame that ended what the other had to say. Repair of k differences costs O(k + 256) bytes
 * whatever the size of the maps (invariant 10).
 *
 * A returning node (see presence.ts) claims to hold nothing: so it is sent everything, and gives nothing away.
 */
export class SyncSession {
  readonly id: number
  readonly peer: Address
  readonly opened: boolean
  /** Keys that a returning node was sent; null for any other. */
  mentioned: Set<string> | null = null
  /** Turn of the last frame of either side. */
  turn = -1
  received = 0
  sent = 0
  readonly #map: RegisterMap
  readonly #summaries: KeyRange[] = []
  readonly #lists: KeyRange[] = []
  readonly #wants: RangeList[] = []
  readonly #keys = new Set<string>()
  #theyHaveMore = false
  #isFilling = false

  constructor(map: RegisterMap, id: number, peer: Address, opened: boolean) {
    this.#map = map
    this.id = id
    this.peer = peer
    this.opened = opened
  }

  /** The peer sends records, and has more of them. */
  get isFilling(): boolean {
    return this.#isFilling
  }

  /** What is left for us to say is records, which the peer need not answer one frame at a time. */
  get hasOnlyRecords(): boolean {
    return this.#keys.size > 0 && this.#summaries.length + this.#lists.length + this.#wants.length === 0
  }

  /** Queues the summaries of all that we hold, or claim to: the opening. */
  summarizeAll(): void {
    this.#summaries.push(...buckets)
  }

  /** From now on we claim to hold nothing. */
  pretendEmpty(): void {
    this.mentioned = new Set()
    this.summarizeAll()
  }

  /** The peer is no better informed than we are: say what we hold after all. */
  stopPretending(): void {
    this.mentioned = null
    this.summarizeAll()
  }

  /** Works out what the peer's turn asks of us. Its records are the caller's to merge, before this. */
  take(frame: Turn): void {
    this.#theyHaveMore = frame.more
    this.#isFilling = frame.more && frame.records.length > 0
    this.received += frame.records.length
    for (const { key } of frame.records) this.mentioned?.add(key)
    if (this.mentioned !== null) return
    for (const summary of frame.summaries) this.#takeSummary(summary)
    for (const list of frame.lists) this.#takeList(list)
    for (const want of frame.wants) this.#takeWant(want)
  }

  /** What we say next, up to about frameBytesWanted. */
  next(): Turn {
    let room = frameBytesWanted
    const summaries: RangeSummary[] = []
    const lists: RangeList[] = []
    const wants: RangeList[] = []
    const records: RegisterRecord[] = []
    for (; this.#summaries.length > 0 && room > 0; room -= summaryBytes) {
      summaries.push(this.#summarize(this.#summaries.pop() as KeyRange))
    }
    for (let list = this.#nextList(room); list !== undefined; list = this.#nextList(room)) {
      lists.push(list)
      room -= listBytes(list)
    }
    while (this.#wants.length > 0 && room > 0) {
      const want = this.#wants.pop() as RangeList
      wants.push(want)
      room -= listBytes(want)
    }
    for (const key of this.#keys) {
      const record = this.#map.get(key)
      const bytes = record === undefined ? 0 : packedBytesMax(record)
      if (bytes > room && records.length + wants.length + lists.length + summaries.length > 0) break
      this.#keys.delete(key)
      if (record !== undefined) records.push(record)
      room -= bytes
    }
    this.sent += records.length
    const more = this.#summaries.length + this.#lists.length + this.#wants.length + this.#keys.size > 0
    const silent = summaries.length + lists.length + wants.length + records.length === 0
    return { more, done: silent && !more && !this.#theyHaveMore, summaries, lists, wants, records }
  }

  #takeSummary(theirs: RangeSummary): void {
    const ours = this.#map.summarize(theirs)
    const { high, low } = theirs.fingerprint
    if (ours.count === theirs.count && ours.fingerprint.high === high && ours.fingerprint.low === low) return
    if (theirs.count === 0) for (const { record } of this.#map.entriesIn(theirs)) this.#keys.add(record.key)
    else if (ours.count <= listedMax || theirs.bits === positionBits) this.#lists.push(theirs)
    else this.#summaries.push(...partsOf(theirs))
  }

  #takeList(theirs: RangeList): void {
    const lacking = new Set(theirs.fingerprints)
    for (const { record, fingerprint } of this.#map.entriesIn(theirs)) {
      if (!lacking.delete(fingerprintText(fingerprint))) this.#keys.add(record.key)
    }
    if (lacking.size > 0) this.#wants.push({ bits: theirs.bits, prefix: theirs.prefix, fingerprints: [...lacking] })
  }

  #takeWant(want: RangeList): void {
    const wanted = new Set(want.fingerprints)
    for (const { record, fingerprint } of this.#map.entriesIn(want)) {
      if (wanted.has(fingerprintText(fingerprint))) this.#keys.add(record.key)
    }
  }

  #summarize(range: KeyRange): RangeSummary {
    if (this.mentioned === null) return this.#map.summarize(range)
    return { bits: range.bits, prefix: range.prefix, count: 0, fingerprint: { high: 0, low: 0 } }
  }

  #nextList(room: number): RangeList | undefined {
    const range = room > 0 ? this.#lists.pop() : undefined
    return (
      range &&
      listOf(
        range,
        this.#map.entriesIn(range).map(({ fingerprint }) => fingerprint),
      )
    )
  }
}

function listBytes(list: RangeList): number {
  return listOverheadBytes + fingerprintBytes * list.fingerprints.length
}
