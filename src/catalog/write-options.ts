/** Who makes a change, for the history. */
export interface Actor {
  /** API key id, or `anonymous` where a node is open. */
  readonly id: string
  readonly name: string
  /** Remote address. */
  readonly from: string
}

/** How many peers must have a write on disk before it is answered, and how long to wait for them. */
export interface AckWish {
  readonly ack: 'one' | 'majority' | 'all'
  readonly timeoutMs: number
}

/** The only namespaces and environments that someone sees and changes; what is absent stands for all. */
export interface Confinement {
  readonly namespaces?: readonly string[]
  readonly environments?: readonly string[]
}

export interface WriteOptions {
  readonly actor: Actor
  /** What the actor may touch. A write beyond it is FORBIDDEN, and changes nothing. */
  readonly confinement?: Confinement
  /** The version the client has seen: another one in force is VERSION_MISMATCH. `*` asks that it exists. */
  readonly ifMatch?: string
  /** `*` asks that it does not exist. */
  readonly ifNoneMatch?: string
  readonly reason?: string
  /** Stands in the log, so that the write can be followed from node to node. */
  readonly requestId?: string
  readonly ack?: AckWish
}
