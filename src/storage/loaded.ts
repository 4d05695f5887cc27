import type { RegisterRecord } from '../crdt/register.ts'
import type { NodeId, Recovered } from '../replica/ports.ts'

/** What a store of this directory knows when it is opened. */
export interface Loaded extends Recovered {
  readonly records: readonly RegisterRecord[]
  readonly nodeId: NodeId
  /** Where a database that proved broken was moved; the node begins anew, with a new identity. null when all was well. */
  readonly salvaged: string | null
}
