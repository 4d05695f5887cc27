import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { FlagsError } from '../base/errors.ts'
import { CorruptFileError, RegisterFile, sqliteCodeOf, sqliteCodes } from './register-file.ts'

/** A directory that this process alone uses. Layout: `flags.db` (with `-wal`), and `flags.pid` for the message to others. */
export class DataDirectory {
  readonly path: string

  constructor(path: string) {
    this.path = resolve(path)
  }

  /** Opens the database, making it and the directory where there is none. Throws CorruptFileError, FlagsError. */
  open(): RegisterFile {
    try {
      this.#make()
      const file = new RegisterFile(this.#databasePath)
      writeFileSync(this.#pidPath, `${process.pid}\n`)
      return file
    } catch (error) {
      if (error instanceof FlagsError || error instanceof CorruptFileError) throw error
      throw new FlagsError('STORAGE_UNAVAILABLE', this.#explain(error))
    }
  }

  /** Moves the database out of the way and returns its new path: what it still holds is left to people. */
  moveAside(): string {
    const path = `${this.#databasePath}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
    for (const suffix of ['', '-wal', '-journal'])
      if (existsSync(this.#databasePath + suffix)) renameSync(this.#databasePath + suffix, path + suffix)
    return path
  }

  get #databasePath(): string {
    return join(this.path, 'flags.db')
  }

  get #pidPath(): string {
    return join(this.path, 'flags.pid')
  }

  #make(): void {
    const first = mkdirSync(this.path, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    // A new directory is durable once its parent is; SQLite sees to the files inside.
    for (let path = this.path; path.length >= first.length; path = dirname(path)) syncDirectory(dirname(path))
  }

  #explain(error: unknown): string {
    if (sqliteCodeOf(error) === sqliteCodes.busy)
      return `The data directory ${this.path} is in use by another process${this.#owner()}: stop that one, or choose another --data-dir.`
    const reason = error instanceof Error ? error.message : String(error)
    return `The data directory ${this.path} cannot be used (${reason}): make it writable, or choose another --data-dir.`
  }

  #owner(): string {
    try {
      return ` (pid ${readFileSync(this.#pidPath, 'utf8').trim()})`
    } catch {
      return ''
    }
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
