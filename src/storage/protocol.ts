import type { NodeId, ReplicaNotes } from '../replica/ports.ts'
import type { RecordPage } from './record-page.ts'

/** What the storage thread is given as `workerData`. */
export interface WorkerTask {
  readonly directory: string
}

/** One append or removal. Those of a commit become durable together, in their order. */
export type Step =
  | { readonly type: 'append'; readonly page: RecordPage; readonly notes: ReplicaNotes }
  | { readonly type: 'remove'; readonly keys: readonly string[] }

/** To the storage thread. Each `commit` is answered by `committed`; the next one comes after that answer. */
export type Request = { readonly type: 'commit'; readonly steps: readonly Step[] } | { readonly type: 'close' }

/** From the storage thread: pages, then `opened` or `refused`, then the answers. */
export type Reply =
  | { readonly type: 'page'; readonly page: RecordPage }
  /** With `salvaged`, the pages so far came from a file that proved broken, and are void. */
  | { readonly type: 'opened'; readonly nodeId: NodeId; readonly notes: ReplicaNotes; readonly salvaged: string | null }
  | { readonly type: 'refused'; readonly reason: string }
  /** `failure` is null when the steps are durable; else none of them is. */
  | { readonly type: 'committed'; readonly failure: string | null }
