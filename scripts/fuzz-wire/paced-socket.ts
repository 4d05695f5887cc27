import type { KeyObject } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { packetBytesMax } from '../../src/base/limits.ts'
import { parseAddress } from '../../src/mesh/address.ts'
import { Drops } from '../../src/mesh/drops.ts'
import { Seal } from '../../src/mesh/seal.ts'
import { decodeSwimMessages, encodeSwimPayload, swimTypes } from '../../src/mesh/swim-messages.ts'

/** Datagrams on their way at once: what the smallest usual receive buffer (208 KB) holds of the largest. */
const batchDatagrams = 64
/** An answer that takes longer was lost, on its way or with the question. */
const answerMs = 250

/**
 * Sends datagrams no faster than the node reads them: behind each batch goes a probe, and the next batch waits for its answer. So
 * the node is also seen to answer its peers all the while.
 */
export class PacedSocket {
  /** Probes so far: the node has received them as well. */
  probes = 0
  /** Of these, how many were answered. */
  answers = 0
  readonly #socket: Socket
  readonly #seal: Seal
  #sequence = 0
  #answered: (() => void) | null = null

  private constructor(socket: Socket, cluster: string, keyring: readonly KeyObject[]) {
    this.#socket = socket
    const address = `127.0.0.1:${socket.address().port}`
    this.#seal = new Seal({ cluster, keyring, address, bodyBytesMax: packetBytesMax, drops: new Drops() })
    socket.on('message', (datagram) => this.#onDatagram(datagram))
    // A node that has gone refuses; that is found out in other ways.
    socket.on('error', () => undefined)
  }

  static async open(to: string, cluster: string, keyring: readonly KeyObject[]): Promise<PacedSocket> {
    const { host, port } = parseAddress(to) ?? { host: '', port: 0 }
    const socket = createSocket('udp4')
    socket.connect(port, host)
    await once(socket, 'connect')
    return new PacedSocket(socket, cluster, keyring)
  }

  /** Sends so many that `next` makes; resolves when the node has read them or lost some. */
  async send(count: number, next: () => Uint8Array): Promise<void> {
    for (let sent = 0; sent < count; ) {
      for (let i = 0; i < batchDatagrams && sent < count; i++, sent++) this.#socket.send(next())
      await this.#probe()
    }
  }

  close(): void {
    this.#socket.close()
  }

  async #probe(): Promise<void> {
    const payload = encodeSwimPayload({ seq: ++this.#sequence })
    const probe = this.#seal.seal('swim', Buffer.concat([Buffer.from([swimTypes.ping]), payload]))
    if (probe === null) throw new Error('A probe does not fit a datagram.')
    this.probes++
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, answerMs)
    this.#answered = () => {
      this.answers++
      resolve()
    }
    this.#socket.send(probe)
    await promise
    clearTimeout(timer)
    this.#answered = null
  }

  #onDatagram(datagram: Buffer): void {
    const opened = this.#seal.open(datagram)
    const messages = opened?.channel === 'swim' ? decodeSwimMessages(opened.body) : null
    const isAnswer = messages?.some(({ event, data }) => event === 'ack' && data.seq === this.#sequence)
    if (isAnswer) this.#answered?.()
  }
}
