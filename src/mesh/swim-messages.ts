import type { SwimState, SwimUpdate } from 'swim'
import type { Address } from '../replica/ports.ts'
import { isAddress, isCount, isId, isIncarnation, isUrl, parseFields } from './fields.ts'

/** Types of message that swim 0.6.0 knows, by its numbers. */
export const swimTypes = { compound: 0, ping: 10, pingreq: 11, sync: 12, ack: 13, update: 14 } as const

/** A message as swim's own Net would emit it. */
export type SwimMessage =
  | { readonly event: 'ping' | 'ack'; readonly data: { readonly seq: number } }
  | { readonly event: 'pingreq'; readonly data: { readonly seq: number; readonly destination: Address } }
  | { readonly event: 'sync' | 'update'; readonly data: SwimUpdate }

/**
 * The payload of a message: a JSON array, because JSON cannot claim to be larger than it is. Its order is the one that
 * `decodeSwimMessages` reads. Stands in for the msgpack codec of swim, which knows the data but not the type.
 */
export function encodeSwimPayload(data: unknown): Buffer {
  return Buffer.from(JSON.stringify(isUpdate(data) ? updateFields(data) : probeFields(data)))
}

function isUpdate(data: unknown): data is SwimUpdate {
  return typeof data === 'object' && data !== null && 'incarnation' in data
}

function updateFields({ host, state, incarnation, meta }: SwimUpdate): unknown[] {
  return [host, state, incarnation, meta.id, meta.url, meta.left ? 1 : 0]
}

function probeFields(data: unknown): unknown[] {
  const { seq, destination } = data as { readonly seq: number; readonly destination?: Address }
  return destination === undefined ? [seq] : [seq, destination]
}

/** All messages of a datagram; null when any part of it is not exactly what swim sends. Never throws. */
export function decodeSwimMessages(bytes: Uint8Array): readonly SwimMessage[] | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer[0] !== swimTypes.compound) {
    const message = decodeMessage(buffer)
    return message === null ? null : [message]
  }
  return buffer.length < 3 ? null : decodeCompound(buffer)
}

/** compound 1 | count 2 | (length 2 | message) ...; little-endian; swim never puts a compound into one. */
function decodeCompound(buffer: Buffer): readonly SwimMessage[] | null {
  const count = buffer.readUInt16LE(1)
  const messages: SwimMessage[] = []
  let at = 3
  for (let i = 0; i < count; i++) {
    if (at + 2 > buffer.length) return null
    const end = at + 2 + buffer.readUInt16LE(at)
    const message = end > buffer.length ? null : decodeMessage(buffer.subarray(at + 2, end))
    if (message === null) return null
    messages.push(message)
    at = end
  }
  return at === buffer.length ? messages : null
}

function decodeMessage(buffer: Buffer): SwimMessage | null {
  const fields = parseFields(buffer.subarray(1))
  if (fields === null) return null
  switch (buffer[0]) {
    case swimTypes.ping:
      return decodeProbe('ping', fields)
    case swimTypes.ack:
      return decodeProbe('ack', fields)
    case swimTypes.pingreq:
      return decodePingRequest(fields)
    case swimTypes.sync:
      return decodeUpdate('sync', fields)
    case swimTypes.update:
      return decodeUpdate('update', fields)
    default:
      return null
  }
}

function decodeProbe(event: 'ping' | 'ack', fields: readonly unknown[]): SwimMessage | null {
  const [seq] = fields
  return fields.length === 1 && isCount(seq) ? { event, data: { seq } } : null
}

function decodePingRequest(fields: readonly unknown[]): SwimMessage | null {
  const [seq, destination] = fields
  if (fields.length !== 2 || !isCount(seq) || !isAddress(destination)) return null
  return { event: 'pingreq', data: { seq, destination } }
}

function decodeUpdate(event: 'sync' | 'update', fields: readonly unknown[]): SwimMessage | null {
  const [host, state, incarnation, id, url, left] = fields
  if (fields.length !== 6 || !isAddress(host) || !isState(state) || !isIncarnation(incarnation)) return null
  if (!isId(id) || !isUrl(url) || (left !== 0 && left !== 1)) return null
  return { event, data: { host, state, incarnation, meta: { id, url, left: left === 1 } } }
}

function isState(value: unknown): value is SwimState {
  return value === 0 || value === 1 || value === 2
}
