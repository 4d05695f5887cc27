import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { murmur32 } from '../base/hash.ts'
import { membersMax } from '../base/limits.ts'
import type { Address } from '../replica/ports.ts'
import { parseAddress } from './address.ts'
import type { DropCause, Drops } from './drops.ts'
import type { Keyring } from './keyring.ts'
import { ReplayWindow } from './replay-window.ts'

/** What an envelope carries: membership, the replica's packets, discovery, the replica's bulk frames. */
export type Channel = 'swim' | 'replica' | 'hello' | 'bulk'

export interface Opened {
  readonly channel: Channel
  /** The address that the sender advertises, which need not be the one that the datagram came from. */
  readonly from: Address
  readonly body: Uint8Array
}

export interface SealOptions {
  /** Mesh name. */
  readonly cluster: string
  readonly keyring: Keyring
  /** The address that this node advertises. */
  readonly address: Address
  /** The largest body that is sealed or opened. */
  readonly bodyBytesMax: number
  readonly drops: Drops
}

const magic = 0x464d // 'FM'
const version = 1
const channelCodes: Readonly<Record<Channel, number>> = { swim: 1, replica: 2, hello: 3, bulk: 4 }
const channelsByCode = new Map(Object.entries(channelCodes).map(([name, code]) => [code, name as Channel]))
const sealedBit = 0x80

const meshAt = 4
const nonceAt = 8
const counterAt = 14
const headerBytes = 20
const tagBytes = 16
/** What an envelope adds to a body at most: header, tag, and the sender's address after its length. */
export const envelopeBytesMax = headerBytes + tagBytes + 1 + 255

/**
 * Puts bodies into envelopes and takes them out:
 *
 *     magic 2 | version 1 | channel 1 (top bit: sealed) | hash of the mesh name 4 | sender id 6 | counter 6
 *     length of the sender's address 1 | address | body          encrypted when sealed
 *     tag 16                                                     only when sealed
 *
 * Sealed by AES-256-GCM. The sender id is random at each start of a process and the counter grows with each envelope:
 * together they are the nonce, which no key sees twice, and the id by which replays are known. The header and the mesh
 * name are authenticated too.
 *
 * One Seal serves one transport, because envelopes that overtake each other by seconds do not fit one replay window.
 */
export class Seal {
  readonly #keyring: Keyring
  readonly #name: Buffer
  readonly #meshHash: number
  readonly #sender: Buffer
  readonly #address: Buffer
  readonly #bodyBytesMax: number
  readonly #drops: Drops
  readonly #replays = new ReplayWindow(membersMax)
  #counter = 0

  constructor(options: SealOptions) {
    this.#keyring = options.keyring
    this.#name = Buffer.from(options.cluster, 'utf8')
    this.#meshHash = murmur32(options.cluster)
    this.#sender = randomBytes(6)
    this.#address = Buffer.from(options.address, 'latin1')
    this.#bodyBytesMax = options.bodyBytesMax
    this.#drops = options.drops
    if (this.#address.length > 255) throw new Error(`The advertised address ${options.address} is too long`)
  }

  /** The envelope around `body`; null when the body is above the limit, which is counted. */
  seal(channel: Channel, body: Uint8Array): Buffer | null {
    if (body.length > this.#bodyBytesMax) return this.#drop('tooLarge')
    const key = this.#keyring[0]
    const header = Buffer.alloc(headerBytes)
    header.writeUInt16BE(magic, 0)
    header.writeUInt8(version, 2)
    header.writeUInt8(channelCodes[channel] | (key === undefined ? 0 : sealedBit), 3)
    header.writeUInt32BE(this.#meshHash, meshAt)
    this.#sender.copy(header, nonceAt)
    header.writeUIntBE(this.#counter++, counterAt, 6)
    const prefix = Buffer.from([this.#address.length])
    if (key === undefined) return Buffer.concat([header, prefix, this.#address, body])
    const cipher = createCipheriv('aes-256-gcm', key, header.subarray(nonceAt))
    cipher.setAAD(Buffer.concat([header, this.#name]))
    const parts = [
      header,
      cipher.update(Buffer.concat([prefix, this.#address, body])),
      cipher.final(),
      cipher.getAuthTag(),
    ]
    return Buffer.concat(parts)
  }

  /** What is in the envelope; null, and counted by cause, for anything but a first envelope of a peer of this mesh. */
  open(bytes: Uint8Array): Opened | null {
    const envelope = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (envelope.length > this.#bodyBytesMax + envelopeBytesMax) return this.#drop('tooLarge')
    if (envelope.length < headerBytes || envelope.readUInt16BE(0) !== magic) return this.#drop('malformed')
    if (envelope.readUInt8(2) !== version) return this.#drop('unknownVersion')
    if (envelope.readUInt32BE(meshAt) !== this.#meshHash) return this.#drop('foreignMesh')
    const senderId = envelope.toString('latin1', nonceAt, counterAt)
    // The group sends our own announcements back to us; that is no replay.
    if (senderId === this.#sender.toString('latin1')) return null
    const code = envelope.readUInt8(3)
    const content = this.#content(envelope, (code & sealedBit) !== 0)
    if (content === null) return this.#drop('badSeal')
    const opened = parse(content, channelsByCode.get(code & ~sealedBit))
    if (opened === null) return this.#drop('malformed')
    if (this.#isReplay(senderId, envelope.readUIntBE(counterAt, 6))) return this.#drop('replayed')
    return opened
  }

  /**
   * Without a key anybody can write any counter, and one flipped bit in it would make all that its sender says later look old:
   * there, what is old is taken for new.
   */
  #isReplay(senderId: string, counter: number): boolean {
    const sighting = this.#replays.see(senderId, counter)
    return sighting === 'repeated' || (sighting === 'old' && this.#keyring.length > 0)
  }

  #content(envelope: Buffer, sealed: boolean): Buffer | null {
    if (sealed !== this.#keyring.length > 0) return null
    if (!sealed) return envelope.subarray(headerBytes)
    if (envelope.length < headerBytes + tagBytes) return null
    for (const key of this.#keyring) {
      const content = decrypt(key, envelope, this.#name)
      if (content !== null) return content
    }
    return null
  }

  #drop(cause: DropCause): null {
    this.#drops.count(cause)
    return null
  }
}

function decrypt(key: KeyObject, envelope: Buffer, name: Buffer): Buffer | null {
  const header = envelope.subarray(0, headerBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, header.subarray(nonceAt), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.concat([header, name]))
  decipher.setAuthTag(envelope.subarray(envelope.length - tagBytes))
  const content = decipher.update(envelope.subarray(headerBytes, envelope.length - tagBytes))
  try {
    decipher.final()
  } catch {
    // Node tells a wrong tag only by throwing.
    return null
  }
  return content
}

function parse(content: Buffer, channel: Channel | undefined): Opened | null {
  const addressEnd = 1 + (content[0] ?? 0)
  if (channel === undefined || content.length < addressEnd) return null
  const from = content.toString('latin1', 1, addressEnd)
  if (parseAddress(from) === null) return null
  return { channel, from, body: content.subarray(addressEnd) }
}
