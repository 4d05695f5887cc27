import type { NodeId } from '../replica/ports.ts'
import { isId, isIncarnation, isUrl, parseFields } from './fields.ts'

/** How a node announces itself. Its address is on the envelope. */
export interface Hello {
  readonly id: NodeId
  /** Base URL of its HTTP API. */
  readonly url: string
  readonly incarnation: number
  /** XOR of the hashes of the addresses it holds alive, its own included: equal views have equal digests. */
  readonly viewDigest: number
}

/** A JSON array, as the other small messages of the mesh. */
export function encodeHello({ id, url, incarnation, viewDigest }: Hello): Uint8Array {
  return Buffer.from(JSON.stringify([id, url, incarnation, viewDigest]))
}

/** null for anything that `encodeHello` does not make. Never throws. */
export function decodeHello(bytes: Uint8Array): Hello | null {
  const fields = parseFields(bytes)
  if (fields === null || fields.length !== 4) return null
  const [id, url, incarnation, viewDigest] = fields
  if (!isId(id) || !isUrl(url) || !isIncarnation(incarnation)) return null
  if (!Number.isInteger(viewDigest) || (viewDigest as number) >>> 0 !== viewDigest) return null
  return { id, url, incarnation, viewDigest }
}
