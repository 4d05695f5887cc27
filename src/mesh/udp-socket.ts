import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { lookup } from 'node:dns'
import { setTimeout as delay } from 'node:timers/promises'
import type { Address } from '../replica/ports.ts'
import { isLiteral, parseAddress } from './address.ts'

export interface UdpCounters {
  readonly datagramsSent: number
  readonly datagramBytesSent: number
  readonly datagramsReceived: number
  readonly datagramBytesReceived: number
  /** Datagrams that the system refused to send; the network's own losses show nowhere. */
  readonly sendErrors: number
}

export interface UdpSocketOptions {
  /** The address to bind, or a name of it. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** A port that is taken fails the start; otherwise the next free one of the following hundred is used. */
  readonly portFixed: boolean
}

/** One socket on one address: best effort, never throws once it is open. */
export interface UdpSocket {
  readonly port: number
  send(to: Address, datagram: Uint8Array): void
  onDatagram(listener: (datagram: Uint8Array) => void): void
  counters(): UdpCounters
  /** Gives what was just sent a moment to leave. */
  close(): Promise<void>
}

/** Bytes that wait in the kernel while the process is busy: a burst of some thousand datagrams. */
const receiveBufferBytes = 4 * 1024 * 1024
/** How many ports after a taken one are tried. */
const portsTried = 100
/** How long a host name that a peer advertises is believed; each datagram would look it up again otherwise. */
const lookupBelievedMs = 10_000
/** Names held; more come only from a flood of invented ones. */
const lookupsMax = 1_000

/** Binds and returns the socket. Rejects with the system's error (`EADDRINUSE`, `EADDRNOTAVAIL`). */
export async function openUdpSocket(options: UdpSocketOptions): Promise<UdpSocket> {
  const last = options.portFixed || options.port === 0 ? options.port : Math.min(options.port + portsTried, 65_535)
  for (let port = options.port; ; port++) {
    try {
      return wrap(await bind(options.host, port))
    } catch (error) {
      if (port >= last || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

async function bind(host: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', lookup: cachedLookup() })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind(port, host, resolve)
  })
  socket.removeAllListeners('error')
  try {
    socket.setRecvBufferSize(receiveBufferBytes)
  } catch {
    // The system's limit is lower: a busy moment loses more datagrams, and gossip repeats them.
  }
  return socket
}

function wrap(socket: Socket): UdpSocket {
  const counts = {
    datagramsSent: 0,
    datagramBytesSent: 0,
    datagramsReceived: 0,
    datagramBytesReceived: 0,
    sendErrors: 0,
  }
  let pending = 0
  let closing = false
  const port = socket.address().port
  socket.on('error', () => counts.sendErrors++)
  return {
    port,
    send(to, datagram) {
      const endpoint = parseAddress(to)
      if (endpoint === null || closing) {
        counts.sendErrors++
        return
      }
      pending++
      socket.send(datagram, endpoint.port, endpoint.host, (error) => {
        pending--
        if (error) counts.sendErrors++
      })
      counts.datagramsSent++
      counts.datagramBytesSent += datagram.length
    },
    onDatagram(listener) {
      socket.on('message', (datagram) => {
        counts.datagramsReceived++
        counts.datagramBytesReceived += datagram.length
        listener(datagram)
      })
    },
    counters: () => ({ ...counts }),
    async close() {
      closing = true
      for (let waits = 0; pending > 0 && waits < 20; waits++) await delay(10)
      await new Promise<void>((resolve) => socket.close(() => resolve()))
    },
  }
}

type Lookup = NonNullable<SocketOptions['lookup']>
type Answer = Parameters<Parameters<Lookup>[2]>

/** Look-ups of names through the system, remembered for a moment, the failed ones too; addresses need none. */
function cachedLookup(): Lookup {
  const answers = new Map<string, { readonly answer: Answer; readonly untilMs: number }>()
  return (host, options, callback) => {
    if (isLiteral(host)) {
      callback(null, host, options.family === 6 ? 6 : 4)
      return
    }
    const held = answers.get(host)
    if (held !== undefined && held.untilMs > performance.now()) {
      callback(...held.answer)
      return
    }
    lookup(host, { ...options, all: false }, (...answer: Answer) => {
      if (answers.size >= lookupsMax) answers.clear()
      answers.set(host, { answer, untilMs: performance.now() + lookupBelievedMs })
      callback(...answer)
    })
  }
}
