import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { FlagsError } from '../base/errors.ts'
import { commitStepsMax, diskStallMs, pendingStepsMax } from '../base/limits.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import type { RegisterStore, ReplicaNotes } from '../replica/ports.ts'
import type { Loaded } from './loaded.ts'
import type { Reply, Request, Step, WorkerTask } from './protocol.ts'
import { packRecords, unpackRecords } from './record-page.ts'

interface Waiting {
  readonly step: Step
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Registers in an SQLite file (write-ahead log, synchronous=FULL) behind a thread, so that a slow fsync stalls no
 * evaluation. Group commit: what arrives while one commit runs goes into the next, so a disk that does 100 fsyncs a
 * second takes many more writes.
 *
 * Opening starts with the constructor, beside whatever else the process does to start.
 */
export class SqliteStore implements RegisterStore {
  readonly #worker: Worker
  readonly #loaded: Promise<Loaded>
  readonly #ended: Promise<void>
  readonly #waiting: Waiting[] = []
  #committing: readonly Waiting[] = []
  #committingSinceMs = 0
  #failure: string | null = null
  #closing = false
  #hasEnded = false

  constructor(directory: string) {
    const workerData: WorkerTask = { directory }
    // The extension of this very file: `.ts` in the checkout, `.js` where it was compiled for a package.
    this.#worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), { workerData })
    this.#ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()))
    this.#loaded = this.#receive()
    // Whoever calls load() gets the rejection; one who never does shall not be stopped by it.
    this.#loaded.catch(() => {})
  }

  /** Rejects with FlagsError STORAGE_UNAVAILABLE when the directory is in use, unusable, or of a newer server. */
  load(): Promise<Loaded> {
    return this.#loaded
  }

  append(records: readonly RegisterRecord[], notes: ReplicaNotes): Promise<void> {
    return this.#enqueue({ type: 'append', page: packRecords(records), notes })
  }

  remove(keys: readonly string[]): Promise<void> {
    return this.#enqueue({ type: 'remove', keys })
  }

  failure(): string | null {
    if (this.#failure !== null) return this.#failure
    const stalled = this.#committing.length > 0 && performance.now() - this.#committingSinceMs > diskStallMs
    return stalled ? `the disk has not answered for ${diskStallMs / 1000} s` : null
  }

  /** Writes what waits, then closes. Later appends are rejected. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#next()
    }
    await this.#ended
  }

  #receive(): Promise<Loaded> {
    const records: RegisterRecord[] = []
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: Reply) => {
        if (reply.type === 'page') for (const record of unpackRecords(reply.page)) records.push(record)
        else if (reply.type === 'opened')
          resolve({
            records: reply.salvaged === null ? records : [],
            notes: reply.notes,
            nodeId: reply.nodeId,
            salvaged: reply.salvaged,
          })
        else if (reply.type === 'refused') reject(new FlagsError('STORAGE_UNAVAILABLE', reply.reason))
        else this.#settle(reply.failure)
      })
      this.#worker.once('error', (error) => this.#end(`the storage thread failed: ${String(error)}`))
      this.#worker.once('exit', () => {
        this.#end('the store is closed')
        reject(new FlagsError('STORAGE_UNAVAILABLE', this.#failure ?? 'the store is closed'))
      })
    })
  }

  #enqueue(step: Step): Promise<void> {
    if (this.#closing || this.#hasEnded) return Promise.reject(unavailable(this.#failure ?? 'the store is closed'))
    if (this.#waiting.length >= pendingStepsMax) return Promise.reject(unavailable('too many writes wait for the disk'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ step, resolve, reject })
      this.#next()
    })
  }

  /** One commit at a time; what waits meanwhile makes the next. */
  #next(): void {
    if (this.#committing.length > 0 || this.#hasEnded) return
    if (this.#waiting.length === 0) {
      if (this.#closing) this.#send({ type: 'close' })
      return
    }
    this.#committing = this.#waiting.splice(0, commitStepsMax)
    this.#committingSinceMs = performance.now()
    this.#send({ type: 'commit', steps: this.#committing.map(({ step }) => step) })
  }

  #settle(failure: string | null): void {
    this.#failure = failure
    const settled = this.#committing
    this.#committing = []
    for (const { resolve, reject } of settled)
      if (failure === null) resolve()
      else reject(unavailable(failure))
    this.#next()
  }

  /** The thread is gone: nothing that waits can become durable. */
  #end(reason: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (!this.#closing) this.#failure = reason
    for (const { reject } of [...this.#committing, ...this.#waiting.splice(0)]) reject(unavailable(reason))
    this.#committing = []
  }

  #send(request: Request): void {
    const buffers = request.type === 'commit' ? request.steps.flatMap((step) => bufferOf(step)) : []
    this.#worker.postMessage(request, buffers)
  }
}

function bufferOf(step: Step): ArrayBuffer[] {
  return step.type === 'append' ? [step.page.values.buffer] : []
}

/** The reason alone: whoever answers for the write makes a sentence of it. */
function unavailable(reason: string): FlagsError {
  return new FlagsError('STORAGE_UNAVAILABLE', reason, { retryAfterSeconds: 1 })
}
