import { randomBytes } from 'node:crypto'
import { FlagsError } from '../base/errors.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import { noStamp } from '../crdt/stamp.ts'
import type { NodeId, RegisterStore, ReplicaNotes } from '../replica/ports.ts'
import type { Loaded } from './loaded.ts'

/** Keeps as long as the process lives, so nothing is written: for `--data-dir :memory:`, where peers are the memory. */
export class MemoryStore implements RegisterStore {
  readonly #nodeId: NodeId = randomBytes(8).toString('hex')
  #closed = false

  async load(): Promise<Loaded> {
    return { records: [], notes: { issued: noStamp, lastContactWallMs: 0 }, nodeId: this.#nodeId, salvaged: null }
  }

  append(_records: readonly RegisterRecord[], _notes: ReplicaNotes): Promise<void> {
    return this.#answer()
  }

  remove(_keys: readonly string[]): Promise<void> {
    return this.#answer()
  }

  failure(): string | null {
    return null
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #answer(): Promise<void> {
    if (!this.#closed) return Promise.resolve()
    return Promise.reject(new FlagsError('STORAGE_UNAVAILABLE', 'the store is closed'))
  }
}
