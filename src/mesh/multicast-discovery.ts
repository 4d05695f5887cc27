import { createSocket, type Socket } from 'node:dgram'
import { type Random, unit } from '../base/random.ts'
import type { Endpoint } from './address.ts'
import type { MeshLogger } from './logger.ts'

export interface MulticastOptions {
  readonly group: Endpoint
  /** Addresses of the interfaces on which to announce and to listen. */
  readonly interfaces: readonly string[]
  readonly random: Random
  readonly logger: MeshLogger
  /** The sealed announcement as of now. */
  readonly announcement: () => Uint8Array
  /** How many members are known: the more, the less often each has to announce itself. */
  readonly memberCount: () => number
  readonly onDatagram: (datagram: Uint8Array) => void
}

/** Announces a node to a group on its network, and hears the announcements of others. */
export interface MulticastDiscovery {
  /** Announces quickly once more, as at the start. */
  announce(): void
  stop(): Promise<void>
}

/** Gaps between the first announcements: at once for the quick, repeated for the lost and for those who start with us. */
const firstGapsMs = [100, 200, 400, 800, 1_600]
/** Then one each this long, so that halves of a network that join again notice it within seconds ... */
const steadyGapMs = 5_000
/** ... but in a large mesh, two a second of all members together. */
const steadyGapPerMemberMs = 500
/** Announcements stay on the local network. */
const timeToLive = 1

/** Never rejects: where no interface can join the group, the node says so once and lives on seeds. */
export async function startMulticastDiscovery(options: MulticastOptions): Promise<MulticastDiscovery> {
  const { group, interfaces, logger } = options
  const sockets: Socket[] = []
  try {
    const listener = await listen(options)
    sockets.push(listener)
    const joined = interfaces.filter((address) => join(listener, group.host, address))
    if (joined.length === 0) throw new Error(`no interface of ${interfaces.join(', ') || 'this host'} can join`)
    for (const address of joined) sockets.push(await openSender(address))
    const announcer = startAnnouncer(options, sockets.slice(1))
    return {
      announce: announcer.restart,
      async stop() {
        announcer.stop()
        await Promise.all(sockets.map(close))
      },
    }
  } catch (error) {
    logger.warn({ group, error: String(error) }, 'no multicast discovery here: peers are found by --seeds only')
    await Promise.all(sockets.map(close))
    return { announce() {}, async stop() {} }
  }
}

async function listen({ group, onDatagram }: MulticastOptions): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  // Bound to the group, it hears nothing else on that port. Windows cannot.
  await bind(socket, group.port, process.platform === 'win32' ? '0.0.0.0' : group.host)
  return socket.on('message', onDatagram)
}

function join(socket: Socket, group: string, address: string): boolean {
  try {
    socket.addMembership(group, address)
    return true
  } catch {
    // A tunnel, or an interface that is down: the others may do.
    return false
  }
}

/** One socket an interface, because the interface of a socket can only be set between two sends, not for one of them. */
async function openSender(address: string): Promise<Socket> {
  const socket = createSocket('udp4')
  await bind(socket, 0, address)
  socket.setMulticastInterface(address)
  socket.setMulticastTTL(timeToLive)
  // Other nodes on this machine hear us too.
  socket.setMulticastLoopback(true)
  return socket
}

async function bind(socket: Socket, port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind(port, address, resolve)
  })
  // Later errors are of single datagrams, and an announcement is repeated anyway.
  socket.removeAllListeners('error').on('error', () => {})
}

async function close(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.close(() => resolve()))
}

function startAnnouncer(options: MulticastOptions, senders: readonly Socket[]) {
  const { group, random, announcement, memberCount } = options
  let timer: NodeJS.Timeout | undefined
  let sent = 0
  const send = () => {
    const datagram = announcement()
    for (const sender of senders) sender.send(datagram, group.port, group.host, () => {})
    const steadyMs = Math.max(steadyGapMs, steadyGapPerMemberMs * memberCount())
    const gapMs = firstGapsMs[sent++] ?? steadyMs
    timer = setTimeout(send, gapMs * (0.75 + unit(random) / 2))
  }
  const restart = () => {
    // While the first ones still go out, a further reason to hurry changes nothing.
    if (sent <= firstGapsMs.length && sent > 0) return
    clearTimeout(timer)
    sent = 0
    send()
  }
  restart()
  return { restart, stop: () => clearTimeout(timer) }
}
