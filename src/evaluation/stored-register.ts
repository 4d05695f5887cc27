import type { z } from 'zod'
import { jsonDepthMax } from '../base/limits.ts'
import { schemaVersion } from './registers.ts'
import { envelopeSchema } from './schema.ts'
import { shapeFaults } from './shape-faults.ts'
import { nestsDeeperThan } from './well-formed.ts'

/** A register as this node can read it. */
export interface StoredRegister<Data> {
  readonly stamp: string
  /** false for a tombstone. */
  readonly live: boolean
  /** See Life in registers.ts; a register's own stamp stands written out here. */
  readonly birth: string
  readonly ended: string
  readonly by: string | undefined
  /** undefined for a tombstone, and where `broken` says why it cannot be read. */
  readonly data: Data | undefined
  readonly broken: string
  /** Not '' when the data is not what the register says, but the last that this node could read. */
  readonly notice: string
}

const decoder = new TextDecoder()

/**
 * Reads a register. Total: what a peer stored may be anything. A register of a newer schema (a rolling upgrade) keeps the data that
 * this node read `before`, if any, and says so; one that no schema allows is broken.
 */
export function readRegister<Data>(
  stamp: string,
  value: Uint8Array | null,
  schema: z.ZodType<Data>,
  before: StoredRegister<Data> | undefined,
): StoredRegister<Data> {
  const nothing = {
    stamp,
    live: value !== null,
    birth: stamp,
    ended: '',
    by: undefined,
    data: undefined,
    broken: '',
    notice: '',
  }
  if (value === null) return nothing
  const json = parseJson(value)
  if (nestsDeeperThan(json, jsonDepthMax + 1)) return { ...nothing, broken: 'is not a register: it nests too deep' }
  const envelope = envelopeSchema.safeParse(json)
  if (!envelope.success) return { ...nothing, broken: 'is not a register: its envelope has the wrong shape' }
  const { schema: version, birth, ended, by, data } = envelope.data
  const life = { ...nothing, birth: birth === '' ? stamp : birth, ended, by }
  if (version > schemaVersion) {
    const message = `schema ${version} is newer than this node, which knows ${schemaVersion}`
    return before?.data === undefined ? { ...life, broken: message } : { ...life, data: before.data, notice: message }
  }
  const parsed = schema.safeParse(data)
  if (parsed.success) return { ...life, data: data as Data }
  const [fault] = shapeFaults(parsed.error)
  return { ...life, broken: `has the wrong shape: ${fault?.path} ${fault?.message}` }
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value))
  } catch {
    return undefined
  }
}
