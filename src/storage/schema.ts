import type { DatabaseSync } from 'node:sqlite'
import { FlagsError } from '../base/errors.ts'

/**
 * Step i takes a file from schema version i to i + 1; a step that has shipped never changes.
 *
 * `register` is a clustered table, so one tree holds everything and no index can contradict it. `checksum` is the CRC-32
 * of the row, because SQLite notices a broken page but not a flipped bit inside a value.
 */
const migrations: readonly string[] = [
  `CREATE TABLE register (
     key      TEXT PRIMARY KEY,
     stamp    TEXT NOT NULL,
     seen     TEXT NOT NULL,
     value    BLOB,
     checksum INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE node (
     one                  INTEGER PRIMARY KEY CHECK (one = 1),
     id                   TEXT NOT NULL,
     issued               TEXT NOT NULL,
     last_contact_wall_ms INTEGER NOT NULL,
     checksum             INTEGER NOT NULL
   ) STRICT;`,
]

export const schemaVersion = migrations.length

/** Brings the file to `schemaVersion`, all or nothing. Throws FlagsError when a newer server wrote it. */
export function migrate(database: DatabaseSync): void {
  const row = database.prepare('PRAGMA user_version').get()
  const found = Number(row?.user_version)
  if (found > schemaVersion)
    throw new FlagsError(
      'STORAGE_UNAVAILABLE',
      `The database is of schema ${found} and this server knows up to ${schemaVersion}: start the newer server again, or use another data directory.`,
    )
  if (found === schemaVersion) return
  database.exec('BEGIN IMMEDIATE')
  for (const step of migrations.slice(found)) database.exec(step)
  database.exec(`PRAGMA user_version = ${schemaVersion}`)
  database.exec('COMMIT')
}
