import type { z } from 'zod'
import { stampMs } from './assemble-flag.ts'
import { formatInstant } from './instant.ts'
import type { Segment } from './model.ts'
import type { segmentRegisterSchema } from './schema.ts'
import type { StoredRegister } from './stored-register.ts'
import { withoutUndefined } from './well-formed.ts'

/** The register of a segment. */
export type SegmentRegister = StoredRegister<z.infer<typeof segmentRegisterSchema>>

/** A segment as its register makes it; undefined when it was deleted, or cannot be read. */
export function assembleSegment(namespace: string, key: string, register: SegmentRegister): Segment | undefined {
  const { data, stamp, birth, by } = register
  if (!data) return undefined
  const instants = { createdAt: formatInstant(stampMs(birth)), updatedAt: formatInstant(stampMs(stamp)) }
  return withoutUndefined({ key, namespace, ...data, version: stamp, ...instants, updatedBy: by })
}
