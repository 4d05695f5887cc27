import { isRegisterKey, packRecord, packStamp, unpackRecord, unpackStamp } from '../crdt/delta.ts'
import type { RangeSummary } from '../crdt/key-range.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import type { Stamp } from '../crdt/stamp.ts'
import type { Address } from './ports.ts'
import { packLists, packSummaries, type RangeList, unpackLists, unpackSummaries } from './wire-ranges.ts'

/** Asks whoever gets register `index` of a write on disk to tell `origin`, where the write was made. */
export interface Ask {
  readonly origin: Address
  readonly index: number
}

export interface Rumor {
  readonly record: RegisterRecord
  readonly ask: Ask | null
}

/** "I have this, and it does not fit a packet": to be pulled over the bulk channel. */
export interface Announcement {
  readonly key: string
  readonly stamp: Stamp
  readonly ask: Ask | null
}

/** "Register `index` of the write with this stamp is on my disk." */
export interface Ack {
  readonly stamp: Stamp
  readonly index: number
}

/** One datagram: whatever is due to a peer, and always how its sender stands. */
export interface Packet {
  /** Root of the sender's map, 16 hex digits. */
  readonly root: string
  /** The sender's wall clock at sending. */
  readonly wallMs: number
  /** So far, at least, the receiver's clock is ahead of the sender's; 0 when nothing is to be said. See clock-check.ts. */
  readonly aheadMs: number
  /** Everything in the sender's map is on its disk. */
  readonly durable: boolean
  /** The sender wants a packet back. */
  readonly answer: boolean
  /** The sender has much that others lack: sync with it now rather than later. */
  readonly nudge: boolean
  readonly rumors: readonly Rumor[]
  readonly announcements: readonly Announcement[]
  readonly acks: readonly Ack[]
}

/** One frame of an anti-entropy session; see sync-session.ts. */
export interface SyncFrame {
  readonly kind: 'sync'
  readonly session: number
  /** Counts the session's frames, both sides together, from 0. */
  readonly turn: number
  readonly root: string
  /** The sender's wall clock at sending. */
  readonly wallMs: number
  /** The sender has more to say at its next turn. */
  readonly more: boolean
  /** Nothing more to say on either side: the session is over. */
  readonly done: boolean
  /** The sender goes on at once, and wants no answer to this frame. */
  readonly goesOn: boolean
  /** Since when the sender has been away, by its wall clock; 0 it is part of the mesh, -1 it never was. See presence.ts. */
  readonly absentSinceWallMs: number
  readonly summaries: readonly RangeSummary[]
  /** What the sender has in these ranges. */
  readonly lists: readonly RangeList[]
  /** What the sender wants of these ranges. */
  readonly wants: readonly RangeList[]
  readonly records: readonly RegisterRecord[]
}

export type Frame =
  | { readonly kind: 'pull'; readonly keys: readonly string[] }
  | { readonly kind: 'records'; readonly records: readonly RegisterRecord[] }
  | { readonly kind: 'busy'; readonly session: number }
  | SyncFrame

const frameKinds = ['pull', 'records', 'busy', 'sync'] as const
const rootPattern = /^[0-9a-f]{16}$/
/** Characters of an address: a host name of 253, brackets, colon, port. */
const addressCharactersMax = 261

export function packetFields(packet: Packet): unknown[] {
  return [
    Uint8Array.fromHex(packet.root),
    packet.wallMs,
    packet.aheadMs,
    (packet.durable ? 1 : 0) | (packet.answer ? 2 : 0) | (packet.nudge ? 4 : 0),
    packet.rumors.map(({ record, ask }) => [packRecord(record), packAsk(ask)]),
    packet.announcements.map(({ key, stamp, ask }) => [key, packStamp(stamp), packAsk(ask)]),
    packet.acks.map(({ stamp, index }) => [packStamp(stamp), index]),
  ]
}

/** undefined when any field is not as it should be. */
export function readPacket(fields: readonly unknown[]): Packet | undefined {
  const [rootPacked, wallMs, aheadMs, flags, ...lists] = fields
  const root = readRoot(rootPacked)
  const rumors = readAll(lists[0], readRumor)
  const announcements = readAll(lists[1], readAnnouncement)
  const acks = readAll(lists[2], readAck)
  if (fields.length !== 7 || root === undefined) return undefined
  if (!isCount(wallMs) || !isCount(aheadMs) || !isCount(flags)) return undefined
  if (rumors === undefined || announcements === undefined || acks === undefined) return undefined
  const [durable, answer, nudge] = [(flags & 1) !== 0, (flags & 2) !== 0, (flags & 4) !== 0]
  return { root, wallMs, aheadMs, durable, answer, nudge, rumors, announcements, acks }
}

export function frameFields(frame: Frame): unknown[] {
  const kind = frameKinds.indexOf(frame.kind)
  switch (frame.kind) {
    case 'pull':
      return [kind, frame.keys]
    case 'records':
      return [kind, frame.records.map(packRecord)]
    case 'busy':
      return [kind, frame.session]
    case 'sync':
      return [
        kind,
        frame.session,
        frame.turn,
        Uint8Array.fromHex(frame.root),
        frame.wallMs,
        (frame.more ? 1 : 0) | (frame.done ? 2 : 0) | (frame.goesOn ? 4 : 0),
        frame.absentSinceWallMs,
        packSummaries(frame.summaries),
        packLists(frame.lists),
        packLists(frame.wants),
        frame.records.map(packRecord),
      ]
  }
}

/** undefined when any field is not as it should be. */
export function readFrame(fields: readonly unknown[]): Frame | undefined {
  const kind = isCount(fields[0]) ? frameKinds[fields[0]] : undefined
  switch (kind) {
    case 'pull': {
      const keys = readAll(fields[1], (key) => (isRegisterKey(key) ? key : undefined))
      return keys && { kind, keys }
    }
    case 'records': {
      const records = readAll(fields[1], unpackRecord)
      return records && { kind, records }
    }
    case 'busy':
      return isCount(fields[1]) ? { kind, session: fields[1] } : undefined
    case 'sync':
      return readSync(fields)
    default:
      return undefined
  }
}

function readSync(fields: readonly unknown[]): SyncFrame | undefined {
  const [, session, turn, rootPacked, wallMs, flags, absentSinceWallMs] = fields
  const root = readRoot(rootPacked)
  const summaries = unpackSummaries(fields[7])
  const lists = unpackLists(fields[8])
  const wants = unpackLists(fields[9])
  const records = readAll(fields[10], unpackRecord)
  if (fields.length !== 11 || !isCount(session) || !isCount(turn) || !isCount(flags)) return undefined
  if (root === undefined || !isCount(wallMs) || (absentSinceWallMs !== -1 && !isCount(absentSinceWallMs)))
    return undefined
  if (summaries === undefined || lists === undefined || wants === undefined || records === undefined) return undefined
  const [more, done, goesOn] = [(flags & 1) !== 0, (flags & 2) !== 0, (flags & 4) !== 0]
  const standing = { root, wallMs, more, done, goesOn, absentSinceWallMs }
  return { kind: 'sync', session, turn, ...standing, summaries, lists, wants, records }
}

/** All items read, or undefined when it is no array or one item is not as it should be. */
function readAll<T>(items: unknown, read: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(items)) return undefined
  const all: T[] = []
  for (const item of items) {
    const one = read(item)
    if (one === undefined) return undefined
    all.push(one)
  }
  return all
}

function readRumor(item: unknown): Rumor | undefined {
  if (!Array.isArray(item) || item.length !== 2) return undefined
  const record = unpackRecord(item[0])
  const ask = readAsk(item[1])
  return record === undefined || ask === undefined ? undefined : { record, ask }
}

function readAnnouncement(item: unknown): Announcement | undefined {
  if (!Array.isArray(item) || item.length !== 3) return undefined
  const [key, stampPacked, askPacked]: unknown[] = item
  const stamp = unpackStamp(stampPacked)
  const ask = readAsk(askPacked)
  return !isRegisterKey(key) || stamp === undefined || ask === undefined ? undefined : { key, stamp, ask }
}

function readAck(item: unknown): Ack | undefined {
  if (!Array.isArray(item) || item.length !== 2) return undefined
  const stamp = unpackStamp(item[0])
  return stamp === undefined || !isCount(item[1]) ? undefined : { stamp, index: item[1] }
}

function packAsk(ask: Ask | null): unknown {
  return ask === null ? null : [ask.origin, ask.index]
}

function readAsk(packed: unknown): Ask | null | undefined {
  if (packed === null) return null
  if (!Array.isArray(packed) || packed.length !== 2) return undefined
  const [origin, index]: unknown[] = packed
  if (typeof origin !== 'string' || origin.length > addressCharactersMax || !isCount(index)) return undefined
  return { origin, index }
}

function readRoot(packed: unknown): string | undefined {
  const root = packed instanceof Uint8Array && packed.length === 8 ? packed.toHex() : ''
  return rootPattern.test(root) ? root : undefined
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
