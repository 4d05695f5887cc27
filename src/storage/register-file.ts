import { randomBytes } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { RegisterRecord } from '../crdt/register.ts'
import { noStamp, type Stamp } from '../crdt/stamp.ts'
import type { NodeId, ReplicaNotes } from '../replica/ports.ts'
import { migrate } from './schema.ts'

/** The file contradicts itself: what it holds cannot be trusted. */
export class CorruptFileError extends Error {}

/** Primary result codes of SQLite (https://sqlite.org/rescode.html); the low byte of an extended one. */
export const sqliteCodes = { busy: 5, corrupt: 11, full: 13, notADatabase: 26 } as const

/** The primary result code of an error that SQLite raised, else null. */
export function sqliteCodeOf(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null
}

type RegisterRow = readonly [key: string, stamp: Stamp, seen: Stamp, value: Uint8Array | null, checksum: number]

interface NodeRow {
  readonly id: NodeId
  readonly notes: ReplicaNotes
}

/**
 * One SQLite file of registers, used from one thread. It is locked from opening to closing, against other processes too,
 * and the operating system drops the lock with the process, however that ends.
 */
export class RegisterFile {
  readonly node: NodeRow
  readonly #database: DatabaseSync
  readonly #upsert: StatementSync
  readonly #delete: StatementSync
  readonly #note: StatementSync

  /** Throws CorruptFileError, FlagsError (a newer schema), or what SQLite raises: sqliteCodes.busy when it is in use. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path)
    try {
      this.#prepareFile()
      this.node = this.#readNode() ?? this.#makeNode()
    } catch (error) {
      this.#database.close()
      throw asCorruption(error)
    }
    // A register is joined, not set: a change from a peer that is older than a local write may reach the disk after it.
    this.#upsert = this.#database.prepare(
      `INSERT INTO register VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
       SET stamp = excluded.stamp, seen = excluded.seen, value = excluded.value, checksum = excluded.checksum
       WHERE excluded.stamp > stamp`,
    )
    this.#delete = this.#database.prepare('DELETE FROM register WHERE key = ?')
    this.#note = this.#database.prepare('UPDATE node SET issued = ?, last_contact_wall_ms = ?, checksum = ?')
  }

  /** Every register, each checked. Throws CorruptFileError; what it gave until then may be wrong as well. */
  *records(): Generator<RegisterRecord> {
    try {
      for (const [key, stamp, seen, value, checksum] of this.#rows()) {
        const record = { key, stamp, seen, value }
        if (checksumOf(record) !== checksum) throw new CorruptFileError(`the register ${key} fails its checksum`)
        yield record
      }
    } catch (error) {
      throw asCorruption(error)
    }
  }

  /** Runs `work` in one transaction, and returns when it is on the disk. Throws when it is not; then nothing of it is. */
  transact(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  put(records: readonly RegisterRecord[], notes: ReplicaNotes): void {
    for (const record of records)
      this.#upsert.run(record.key, record.stamp, record.seen, record.value, checksumOf(record))
    this.#note.run(notes.issued, notes.lastContactWallMs, noteChecksumOf(this.node.id, notes))
  }

  remove(keys: readonly string[]): void {
    for (const key of keys) this.#delete.run(key)
  }

  close(): void {
    this.#database.close()
  }

  #prepareFile(): void {
    // Exclusive before the journal mode: then the write-ahead log needs no shared memory, and the first read takes the lock.
    this.#database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    this.#database.exec('BEGIN EXCLUSIVE; COMMIT')
    const verdict = this.#database.prepare('PRAGMA quick_check(1)').get()?.quick_check
    if (verdict !== 'ok') throw new CorruptFileError(String(verdict))
    migrate(this.#database)
  }

  /** As arrays, which SQLite's binding makes three times as fast as objects. */
  #rows(): Iterable<RegisterRow> {
    const select = this.#database.prepare('SELECT key, stamp, seen, value, checksum FROM register')
    select.setReturnArrays(true)
    // The table is STRICT: its columns have the types that the schema gives them.
    return select.iterate() as unknown as Iterable<RegisterRow>
  }

  #readNode(): NodeRow | null {
    const row = this.#database.prepare('SELECT * FROM node').get()
    if (row === undefined) return null
    const id = String(row.id)
    const notes = { issued: String(row.issued) as Stamp, lastContactWallMs: Number(row.last_contact_wall_ms) }
    if (noteChecksumOf(id, notes) !== row.checksum) throw new CorruptFileError('the row of the node fails its checksum')
    return { id, notes }
  }

  #makeNode(): NodeRow {
    const id = randomBytes(8).toString('hex')
    const notes = { issued: noStamp, lastContactWallMs: 0 }
    this.#database
      .prepare('INSERT INTO node VALUES (1, ?, ?, ?, ?)')
      .run(id, notes.issued, notes.lastContactWallMs, noteChecksumOf(id, notes))
    return { id, notes }
  }
}

function checksumOf(record: RegisterRecord): number {
  const head = crc32(`${record.key}\n${record.stamp}\n${record.seen}\n${record.value === null ? 'deleted' : 'value'}`)
  return record.value === null ? head : crc32(record.value, head)
}

function noteChecksumOf(id: NodeId, notes: ReplicaNotes): number {
  return crc32(`${id}\n${notes.issued}\n${notes.lastContactWallMs}`)
}

function asCorruption(error: unknown): unknown {
  const code = sqliteCodeOf(error)
  const broken = code === sqliteCodes.corrupt || code === sqliteCodes.notADatabase
  return broken && error instanceof Error ? new CorruptFileError(error.message, { cause: error }) : error
}
