import { Agent, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { bulkQueueBytesMax } from '../base/limits.ts'
import type { Address } from '../replica/ports.ts'
import type { Drops } from './drops.ts'
import type { Seal } from './seal.ts'

export interface BulkCounters {
  readonly bulkSent: number
  readonly bulkBytesSent: number
  readonly bulkReceived: number
  /** Frames whose peer is no member, could not be reached, refused, or did not answer in time. */
  readonly bulkFailed: number
  /** Frames that did not fit the queue of their peer, or waited behind one that failed. */
  readonly bulkDropped: number
}

export interface BulkOptions {
  /** A seal of its own: bulk frames are overtaken by more datagrams than fit a replay window. */
  readonly seal: Seal
  readonly drops: Drops
  /** Base URL of the HTTP API of the member with this address. */
  readonly urlOf: (to: Address) => string | undefined
}

/** Where a node takes sealed frames, below its base URL. */
export const bulkPath = '/mesh/bulk'
/** A peer that has not answered by then has gone, or is too busy for more. */
const timeoutMs = 5_000

interface Queue {
  readonly frames: Uint8Array[]
  bytes: number
}

/** Sends frames as HTTP requests, one at a time to each peer, so that they arrive in order. Failures drop the frame. */
export class BulkTransport {
  readonly #options: BulkOptions
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 60_000 })
  // Whose certificate it is does not matter: the frame is sealed, and only a peer with the mesh key opens it. So nodes need no
  // certificate authority.
  readonly #tlsAgent = new TlsAgent({ keepAlive: true, maxSockets: 1, timeout: 60_000, rejectUnauthorized: false })
  readonly #queues = new Map<Address, Queue>()
  readonly #counts = { bulkSent: 0, bulkBytesSent: 0, bulkReceived: 0, bulkFailed: 0, bulkDropped: 0 }
  #stopped = false

  constructor(options: BulkOptions) {
    this.#options = options
  }

  send(to: Address, frame: Uint8Array): void {
    const queue = this.#queues.get(to)
    const waitingBytes = queue?.bytes ?? 0
    if (this.#stopped || waitingBytes + frame.length > bulkQueueBytesMax) {
      this.#counts.bulkDropped++
      return
    }
    if (queue !== undefined) {
      queue.frames.push(frame)
      queue.bytes += frame.length
      return
    }
    const fresh = { frames: [frame], bytes: frame.length }
    this.#queues.set(to, fresh)
    void this.#drain(to, fresh)
  }

  /** The frame in a sealed body and who sent it; null (and counted) for anything else. */
  open(body: Uint8Array): { readonly from: Address; readonly frame: Uint8Array } | null {
    const opened = this.#options.seal.open(body)
    if (opened === null) return null
    if (opened.channel !== 'bulk') {
      this.#options.drops.count('malformed')
      return null
    }
    this.#counts.bulkReceived++
    return { from: opened.from, frame: opened.body }
  }

  counters(): BulkCounters {
    return { ...this.#counts }
  }

  /** Drops what waits and ends the connections. */
  stop(): void {
    this.#stopped = true
    this.#agent.destroy()
    this.#tlsAgent.destroy()
  }

  async #drain(to: Address, queue: Queue): Promise<void> {
    for (let frame = queue.frames.shift(); frame !== undefined; frame = queue.frames.shift()) {
      const delivered = await this.#post(to, frame)
      queue.bytes -= frame.length
      // What follows a lost frame was meant to follow it; and a peer that hangs would hold each for its time.
      if (!delivered) break
    }
    this.#counts.bulkDropped += queue.frames.length
    this.#queues.delete(to)
  }

  async #post(to: Address, frame: Uint8Array): Promise<boolean> {
    const url = this.#stopped ? undefined : this.#options.urlOf(to)
    // Sealed when its turn has come, so that its counter is not old when it arrives.
    const body = url === undefined ? null : this.#options.seal.seal('bulk', frame)
    const delivered = body !== null && (await this.#request(`${url}${bulkPath}`, body))
    if (delivered) {
      this.#counts.bulkSent++
      this.#counts.bulkBytesSent += body.length
    } else {
      this.#counts.bulkFailed++
    }
    return delivered
  }

  #request(url: string, body: Buffer): Promise<boolean> {
    const tls = url.startsWith('https:')
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'content-length': body.length },
      // Of the whole exchange, where `timeout` would be of each silence in it.
      signal: AbortSignal.timeout(timeoutMs),
    }
    return new Promise((resolve) => {
      const outgoing = tls
        ? tlsRequest(url, { ...options, agent: this.#tlsAgent })
        : request(url, { ...options, agent: this.#agent })
      outgoing.on('error', () => resolve(false))
      outgoing.on('response', (response) => {
        response.on('error', () => resolve(false))
        response.on('end', () => resolve((response.statusCode ?? 500) < 300)).resume()
      })
      outgoing.end(body)
    })
  }
}
