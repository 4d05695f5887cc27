import Swim, { type SwimUpdate } from 'swim'
import { packetBytesMax } from '../base/limits.ts'
import type { Address } from '../replica/ports.ts'
import { encodeSwimPayload } from './swim-messages.ts'

/**
 * One member is probed each interval. Ten intervals of suspicion let a crash be noticed by all of ten nodes within 7 s,
 * and give a live suspect twenty chances to hear of it and answer (see tellSuspects), of which it needs one.
 */
export const probeIntervalMs = 500
export const suspicionMs = 10 * probeIntervalMs
/** A direct answer may take this long: a hundred round trips of a local network, or one moment of a busy process. */
const pingTimeoutMs = 150
/** Then three others try: four hops, and the same moment in each of them. */
const pingReqTimeoutMs = 350

export interface SwimNodeOptions {
  readonly address: Address
  readonly incarnation: number
  readonly meta: SwimUpdate['meta']
  readonly send: (to: Address, bytes: Uint8Array) => void
}

/**
 * npm `swim` without its socket and its codec: it sends through `send`, hears only what its `net` is made to emit, and
 * keeps its own timers. Its own socket would bind all addresses, and read whatever arrives there.
 */
export function createSwimNode({ address, incarnation, meta, send }: SwimNodeOptions): Swim {
  const swim = new Swim({
    local: { host: address, meta, incarnation },
    interval: probeIntervalMs,
    pingTimeout: pingTimeoutMs,
    pingReqTimeout: pingReqTimeoutMs,
    suspectTimeout: suspicionMs,
    // Peers may still tell the meta of an earlier life of ours: only the incarnation is to be learnt from them.
    preferCurrentMeta: true,
    // swim forgets the type byte in every compound but the first.
    udp: { maxDgramSize: packetBytesMax - 1 },
  })
  swim.codec.encode = encodeSwimPayload
  swim.net.udpSocket.close()
  swim.net.listen = (callback) => callback()
  swim.net.close = () => {}
  swim.net.sendBuffer = (buffer, host) => send(host, buffer)
  swim.membership.suspectListener = (member) => suspectOnce(swim, member)
  return swim
}

/**
 * swim begins a suspicion anew at each failed probe: in a mesh of up to ten, where each member's turn comes again before
 * the suspicion ends, nobody would ever be dead. And a member that has spoken since it was probed is no suspect.
 */
function suspectOnce({ membership }: Swim, probed: SwimUpdate): void {
  const member = membership.get(probed.host)
  const pending = membership.hostToSuspectTimeout[probed.host] !== undefined
  if (member !== undefined && member.incarnation === probed.incarnation && !pending) membership.onSuspect(member)
}
