/** What we use of npm `swim` 0.6.0, which has no types of its own. */
declare module 'swim' {
  import type { Socket } from 'node:dgram'
  import type { EventEmitter } from 'node:events'

  /** 0 alive, 1 suspect, 2 faulty. */
  export type SwimState = 0 | 1 | 2

  export interface SwimUpdate {
    readonly host: string
    readonly state: SwimState
    readonly incarnation: number
    readonly meta: { readonly id: string; readonly url: string; readonly left: boolean }
  }

  interface SwimMember extends SwimUpdate {
    incarnation: number
    meta: SwimUpdate['meta']
    data(): SwimUpdate
  }

  interface SwimOptions {
    readonly local: { readonly host: string; readonly meta: SwimUpdate['meta']; readonly incarnation: number }
    readonly interval: number
    readonly pingTimeout: number
    readonly pingReqTimeout: number
    readonly suspectTimeout: number
    readonly preferCurrentMeta: boolean
    readonly udp: { readonly maxDgramSize: number }
  }

  interface SwimNet extends EventEmitter {
    udpSocket: Socket
    listen(callback: () => void): void
    close(): void
    sendBuffer(buffer: Buffer, host: string): void
    sendMessages(messages: readonly { readonly type: number; readonly data: unknown }[], host: string): void
  }

  interface SwimMembership {
    readonly local: SwimMember
    readonly hostToMember: Record<string, SwimMember>
    readonly hostToFaulty: Record<string, SwimMember>
    readonly hostToSuspectTimeout: Record<string, unknown>
    /** Tells these hosts all we know, and asks them for the same. */
    sync(hosts: readonly string[]): void
    get(host: string): SwimMember | undefined
    size(hasLocal: boolean): number
    /** Called when a probe has failed; `onSuspect` unless replaced before `bootstrap`. */
    suspectListener: (member: SwimMember) => void
    /** Begins a suspicion, or begins it anew. */
    onSuspect(member: SwimMember): void
  }

  export default class Swim extends EventEmitter {
    constructor(options: SwimOptions)
    codec: { encode(data: unknown): Buffer; decode(buffer: Buffer): unknown }
    readonly net: SwimNet
    readonly membership: SwimMembership
    bootstrap(hosts: readonly string[], callback: () => void): void
    leave(): void
  }
}
