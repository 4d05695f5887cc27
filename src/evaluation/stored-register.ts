import type { z } from 'zod'
import { jsonDepthMax } from '../base/limits.ts'
import { schemaVersion } from './registers.ts'
import { shapeFaults } from './shape-faults.ts'
import { nestsDeeperThan } from './well-formed.ts'

/** What a register's data is once its shape is checked; undefined where `broken` says why it cannot be read. */
interface Reading<Data> {
  readonly data: Data | undefined
  readonly broken: string
}

/** Around the data of every register, in this form in all schemas to come, so that older nodes know a newer one when they see it. */
interface Envelope {
  readonly schema: number
  readonly birth: string
  readonly ended: string
  readonly by?: string
  readonly data?: unknown
}

const decoder = new TextDecoder()

/**
 * A register as this node can read it. Total: what a peer stored may be anything. The shape of its data is checked when somebody first asks,
 * so that a node with many flags starts fast. A register of a newer schema (a rolling upgrade) keeps the data that this node read `before`, if
 * any, and says so; one that no schema allows is broken.
 */
export class StoredRegister<Data> {
  readonly stamp: string
  /** false for a tombstone. */
  readonly live: boolean
  /** See Life in registers.ts; a register's own stamp stands written out here. */
  readonly birth: string
  readonly ended: string
  readonly by: string | undefined
  /** Not '' when the data is not what the register says, but the last that this node could read. */
  readonly notice: string
  readonly #schema: z.ZodType<Data>
  #unchecked: unknown
  #reading: Reading<Data> | undefined

  constructor(
    stamp: string,
    value: Uint8Array | null,
    schema: z.ZodType<Data>,
    before: StoredRegister<Data> | undefined,
  ) {
    const envelope = value && openEnvelope(value)
    const opened = typeof envelope === 'object' ? envelope : undefined
    const newer =
      opened && opened.schema > schemaVersion
        ? `schema ${opened.schema} is newer than this node, which knows ${schemaVersion}`
        : ''
    const kept = newer === '' ? undefined : before?.data
    this.stamp = stamp
    this.live = value !== null
    this.birth = opened?.birth || stamp
    this.ended = opened?.ended ?? ''
    this.by = opened?.by
    this.notice = kept === undefined ? '' : newer
    this.#schema = schema
    this.#unchecked = opened?.data
    if (value === null) this.#reading = { data: undefined, broken: '' }
    else if (typeof envelope === 'string') this.#reading = { data: undefined, broken: envelope }
    else if (newer !== '') this.#reading = { data: kept, broken: kept === undefined ? newer : '' }
  }

  /** undefined for a tombstone, and where `broken` says why it cannot be read. */
  get data(): Data | undefined {
    return this.#read().data
  }

  get broken(): string {
    return this.#read().broken
  }

  #read(): Reading<Data> {
    if (!this.#reading) {
      this.#reading = check(this.#unchecked, this.#schema)
      this.#unchecked = undefined
    }
    return this.#reading
  }
}

/** What the bytes of a register hold, or why they are none. */
function openEnvelope(value: Uint8Array): Envelope | string {
  const json = parseJson(value)
  if (nestsDeeperThan(json, jsonDepthMax + 1)) return 'is not a register: it nests too deep'
  return isEnvelope(json) ? json : 'is not a register: its envelope has the wrong shape'
}

function isEnvelope(json: unknown): json is Envelope {
  if (typeof json !== 'object' || json === null) return false
  const { schema, birth, ended, by = '' } = json as Record<string, unknown>
  return Number.isInteger(schema) && typeof birth === 'string' && typeof ended === 'string' && typeof by === 'string'
}

function check<Data>(data: unknown, schema: z.ZodType<Data>): Reading<Data> {
  const parsed = schema.safeParse(data)
  // The schemas change nothing, so what was read is what was stored.
  if (parsed.success) return { data: data as Data, broken: '' }
  const [fault] = shapeFaults(parsed.error)
  return { data: undefined, broken: `has the wrong shape: ${fault?.path} ${fault?.message}` }
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value))
  } catch {
    return undefined
  }
}
