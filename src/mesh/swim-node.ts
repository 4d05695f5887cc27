import Swim, { type SwimUpdate } from 'swim'
import { packetBytesMax } from '../base/limits.ts'
import type { Address } from '../replica/ports.ts'
import { encodeSwimPayload } from './swim-messages.ts'

/**
 * A member is probed each interval. DESIGN asks that a crash is noticed within 7 s and that nobody alive is declared
 * dead at 30 % loss: ten intervals of suspicion are twenty answers that a suspect may give (see Suspicions).
 */
export const probeIntervalMs = 500
export const suspicionMs = 10 * probeIntervalMs
/** A direct answer may take this long: a hundred round trips of a local network, or one moment of a busy process. */
const pingTimeoutMs = 200
/** Then three others try: four hops, and the same moment in each of them. */
const pingReqTimeoutMs = 500

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
  return swim
}
