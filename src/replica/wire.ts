import { Packr } from 'msgpackr'
import { murmur32Bytes } from '../base/hash.ts'
import { bulkFrameBytesMax, packetBytesMax } from '../base/limits.ts'
import { isPlainMessagePack } from './msgpack-scan.ts'
import { type Frame, frameFields, type Packet, packetFields, readFrame, readPacket } from './wire-fields.ts'

/**
 * `FM` for flags mesh, then the version: what carries another is dropped before anything else is looked at. Then a checksum of
 * the body: one flipped bit that UDP's sixteen let through would be a write like any other, and spread, and never go away.
 */
const magic = [0x46, 0x4d] as const
export const protocolVersion = 1
export const prefixBytes = 7
const checksumAt = 3

const packr = new Packr({ useRecords: false })

/** Why bytes were not understood; each is a counter. */
export type WireFault = 'oversized' | 'foreign' | 'version' | 'corrupt' | 'malformed'

export function encodePacket(packet: Packet): Uint8Array {
  return encode(packetFields(packet))
}

/** Never throws, and never allocates more than a small multiple of packetBytesMax (invariant 7). */
export function decodePacket(bytes: Uint8Array): Packet | WireFault {
  const fields = decode(bytes, packetBytesMax)
  return Array.isArray(fields) ? (readPacket(fields) ?? 'malformed') : fields
}

export function encodeFrame(frame: Frame): Uint8Array {
  return encode(frameFields(frame))
}

/** As decodePacket, with bulkFrameBytesMax. */
export function decodeFrame(bytes: Uint8Array): Frame | WireFault {
  const fields = decode(bytes, bulkFrameBytesMax)
  return Array.isArray(fields) ? (readFrame(fields) ?? 'malformed') : fields
}

function encode(fields: readonly unknown[]): Uint8Array {
  const body = packr.pack(fields)
  const bytes = new Uint8Array(prefixBytes + body.length)
  bytes.set(magic)
  bytes[2] = protocolVersion
  bytes.set(body, prefixBytes)
  viewOf(bytes).setUint32(checksumAt, murmur32Bytes(bytes.subarray(prefixBytes)))
  return bytes
}

function decode(bytes: Uint8Array, bytesMax: number): unknown[] | WireFault {
  if (bytes.length > bytesMax) return 'oversized'
  if (bytes[0] !== magic[0] || bytes[1] !== magic[1]) return 'foreign'
  if (bytes[2] !== protocolVersion) return 'version'
  if (bytes.length <= prefixBytes) return 'malformed'
  const body = bytes.subarray(prefixBytes)
  if (viewOf(bytes).getUint32(checksumAt) !== murmur32Bytes(body)) return 'corrupt'
  if (!isPlainMessagePack(bytes, prefixBytes)) return 'malformed'
  const fields = unpack(body)
  return Array.isArray(fields) ? fields : 'malformed'
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The scan lets strings pass that are not UTF-8, over which a decoder may stumble. */
function unpack(body: Uint8Array): unknown {
  try {
    return packr.unpack(body)
  } catch {
    return undefined
  }
}
