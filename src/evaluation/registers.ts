import type { FlagDefinition, SegmentDefinition } from './model.ts'
import { defaultEnvironment, pickTargeting } from './settings.ts'

/**
 * A flag as registers of the replicated map, as fine as independent decisions: one for its definition, and for each environment one
 * for its switch and one for its targeting. A segment is one register.
 *
 * **The life of a flag.** Deleting, editing and creating anew can happen at different nodes at once, and each register converges by
 * itself to its last write. So each register names the life it belongs to: `birth`, the stamp of the creation (all registers of a
 * creation share one stamp; '' stands for the register's own), and `ended`, the stamp up to which lives were over when this life
 * began, as its author saw it. From the state of the registers alone, every node finds the same:
 *
 * - A register is void if its birth is not after the newest `ended` that any register of the flag names: it is of an earlier life. So
 *   rules edited at one node while another deletes the flag and creates it anew cannot haunt the new one.
 * - A flag exists if its definition, default switch and default targeting are live. So a partial edit that is concurrent with a delete does not
 *   bring it back half: at least one tombstone of the three stands, or has expired and left nothing.
 * - Registers of two creations that did not know of each other are not void: neither saw the other's life end. The last write to each wins, as
 *   anywhere else.
 * - Where a void register won, what it overwrote is lost, and the flag goes on without: a void switch means off, a void targeting serves
 *   nothing. Only a void definition counts, because a flag that somebody created must not vanish by it. All three are told as faults.
 */
export interface Life {
  /** Stamp of the creation, '' while it is being created. */
  readonly birth: string
  /** Lives born at or before this stamp are over; '' when there was none. */
  readonly ended: string
}

/** Into which life a write goes (see Ruleset.life), and who makes it. */
export interface Authorship extends Life {
  /** Name of the author. */
  readonly by?: string
}

/** A register's new value, null to delete it. */
export interface RegisterWrite {
  readonly key: string
  readonly value: Uint8Array | null
}

export type FlagPart = 'definition' | 'switch' | 'targeting'

/** What the key of a register says. */
export type RegisterName =
  | {
      readonly kind: 'flag'
      readonly namespace: string
      readonly key: string
      readonly part: FlagPart
      readonly environment: string
    }
  | { readonly kind: 'segment'; readonly namespace: string; readonly key: string }

/** The newest form of the values that this program writes and reads. */
export const schemaVersion = 1

const encoder = new TextEncoder()

/** Every register of a flag. */
export function splitFlag(definition: FlagDefinition, authorship: Authorship): RegisterWrite[] {
  return writes(flagData(definition), authorship)
}

/** The registers in which two definitions of one flag differ; those of an environment that is no more are deleted. */
export function changedRegisters(
  before: FlagDefinition,
  after: FlagDefinition,
  authorship: Authorship,
): RegisterWrite[] {
  return differences(flagData(before), flagData(after), authorship)
}

/** The keys of every register of a flag. */
export function flagRegisterKeys(definition: FlagDefinition): string[] {
  return [...flagData(definition).keys()]
}

export function splitSegment(definition: SegmentDefinition, authorship: Authorship): RegisterWrite[] {
  return writes(segmentData(definition), authorship)
}

export function changedSegmentRegisters(
  before: SegmentDefinition,
  after: SegmentDefinition,
  authorship: Authorship,
): RegisterWrite[] {
  return differences(segmentData(before), segmentData(after), authorship)
}

export function segmentRegisterKeys(definition: Pick<SegmentDefinition, 'namespace' | 'key'>): string[] {
  return [`segment|${definition.namespace}|${definition.key}`]
}

/** undefined for registers of other things than flags and segments. */
export function parseRegisterKey(registerKey: string): RegisterName | undefined {
  const [kind, namespace, key, part, environment = '', more] = registerKey.split('|')
  if (!namespace || !key || more !== undefined) return undefined
  if (kind === 'segment') return part === undefined ? { kind, namespace, key } : undefined
  if (kind !== 'flag') return undefined
  if (part === 'definition') return environment === '' ? { kind, namespace, key, part, environment } : undefined
  return environment !== '' && (part === 'switch' || part === 'targeting')
    ? { kind, namespace, key, part, environment }
    : undefined
}

/** Register key -> what it holds. */
type RegisterData = Map<string, unknown>

function flagData(definition: FlagDefinition): RegisterData {
  const {
    namespace,
    key,
    type,
    description,
    tags,
    owner,
    metadata,
    variations,
    enabled,
    environments = {},
  } = definition
  const prefix = `flag|${namespace}|${key}|`
  const data: RegisterData = new Map()
  data.set(`${prefix}definition`, { type, description, tags, owner, metadata, variations })
  data.set(`${prefix}switch|${defaultEnvironment}`, { enabled })
  data.set(`${prefix}targeting|${defaultEnvironment}`, pickTargeting(definition))
  for (const [environment, settings] of Object.entries(environments)) {
    if (settings.enabled !== undefined) data.set(`${prefix}switch|${environment}`, { enabled: settings.enabled })
    // Written even when empty: it is what says that the flag names this environment.
    data.set(`${prefix}targeting|${environment}`, pickTargeting(settings))
  }
  return data
}

function segmentData(definition: SegmentDefinition): RegisterData {
  const { description, included, excluded, if: condition } = definition
  return new Map(
    segmentRegisterKeys(definition).map((key) => [key, { description, included, excluded, if: condition }]),
  )
}

function writes(data: RegisterData, authorship: Authorship): RegisterWrite[] {
  return [...data].map(([key, content]) => ({ key, value: encode(content, authorship) }))
}

function differences(before: RegisterData, after: RegisterData, authorship: Authorship): RegisterWrite[] {
  const changed: RegisterWrite[] = []
  for (const [key, content] of after) {
    if (!before.has(key) || JSON.stringify(before.get(key)) !== JSON.stringify(content))
      changed.push({ key, value: encode(content, authorship) })
  }
  for (const key of before.keys()) if (!after.has(key)) changed.push({ key, value: null })
  return changed
}

function encode(data: unknown, { birth, ended, by }: Authorship): Uint8Array {
  return encoder.encode(JSON.stringify({ schema: schemaVersion, birth, ended, by, data }))
}
