import type { Now } from '../base/clock.ts'
import { checkReferences, type Existing } from '../evaluation/check-references.ts'
import type { Flag, FlagDefinition, Segment, SegmentDefinition } from '../evaluation/model.ts'
import { parseFlag, parseSegment } from '../evaluation/parse.ts'
import {
  changedRegisters,
  changedSegmentRegisters,
  flagRegisterKeys,
  segmentRegisterKeys,
  splitFlag,
  splitSegment,
} from '../evaluation/registers.ts'
import { createRuleset, type RegisterValue } from '../evaluation/ruleset.ts'
import { flagUsers, segmentUsers } from '../evaluation/users.ts'
import type { Replica, ReplicaEvent } from '../replica/ports.ts'
import { type ApiKeys, createApiKeys, type KeySecrets } from './api-keys.ts'
import { createChangeLog } from './change-log.ts'
import { createDurableWrites } from './durable-writes.ts'
import { createImporter } from './import-document.ts'
import { createKeyLocks } from './key-locks.ts'
import type { Catalog, CatalogChange } from './ports.ts'
import { createShelf, type Kind } from './shelf.ts'

export interface CatalogParts {
  readonly replica: Replica
  readonly nodeId: string
  readonly now: () => Now
  /** Resolves after so many milliseconds. */
  readonly delay: (ms: number) => Promise<void>
  readonly secrets: KeySecrets & { sha256(input: string | Uint8Array): string }
  /** Entries of the audit log that the replica keeps. */
  readonly logEntriesMax: number
}

/** The catalog, with what the composition root feeds it. */
export interface CatalogCore extends Catalog {
  readonly keys: ApiKeys
  /** Call once, after the replica has started and before anything is asked. */
  load(): void
  /** Every event of the replica goes here. */
  onReplicaEvent(event: ReplicaEvent): void
  /** The replica has dropped these registers for good. */
  onForgotten(registerKeys: readonly string[]): void
}

export function createCatalog({ replica, nodeId, now, delay, secrets, logEntriesMax }: CatalogParts): CatalogCore {
  const ruleset = createRuleset()
  const writes = createDurableWrites({ replica, now, delay })
  const locks = createKeyLocks()
  const { newId, sha256 } = secrets
  const log = createChangeLog({ replica, nodeId, newId, sha256, pause: () => delay(0), entriesMax: logEntriesMax })
  const keys = createApiKeys({ replica, writes, log, secrets })

  const flagKind: Kind<FlagDefinition, Flag> = {
    noun: 'flag',
    parse: parseFlag,
    check: (flag) => withoutIndex(checkReferences(ruleset, [flag], [])),
    users: (namespace, key) => flagUsers(ruleset, namespace, key),
    get: ruleset.flag,
    all: ruleset.flags,
    definition: ({ version: _v, createdAt: _c, updatedAt: _u, updatedBy: _b, ...definition }) => definition,
    life: (namespace, key) => ruleset.life('flag', namespace, key),
    split: splitFlag,
    changed: changedRegisters,
    registerKeys: flagRegisterKeys,
  }
  const segmentKind: Kind<SegmentDefinition, Segment> = {
    noun: 'segment',
    parse: parseSegment,
    check: (segment) => withoutIndex(checkReferences(ruleset, [], [segment])),
    users: (namespace, key) => segmentUsers(ruleset, namespace, key),
    get: ruleset.segment,
    all: ruleset.segments,
    definition: ({ version: _v, createdAt: _c, updatedAt: _u, updatedBy: _b, ...definition }) => definition,
    life: (namespace, key) => ruleset.life('segment', namespace, key),
    split: splitSegment,
    changed: changedSegmentRegisters,
    registerKeys: segmentRegisterKeys,
  }

  const listeners = new Set<(change: CatalogChange) => void>()
  const importer = createImporter({
    flags: flagKind,
    segments: segmentKind,
    check: (flags, segments, replaced) => checkReferences(outside(ruleset, replaced), flags, segments),
    writes,
    locks,
    log,
    pause: () => delay(0),
  })

  function take(registerKeys: Iterable<string>): void {
    const changed = [...registerKeys]
    log.onChanged(changed)
    keys.onChanged(changed)
    const { namespaces } = ruleset.apply(values(replica, changed))
    if (namespaces.size === 0) return
    const change = { root: replica.root(), namespaces }
    for (const listener of listeners) listener(change)
  }

  return {
    ruleset,
    log,
    keys,
    flags: createShelf(flagKind, { writes, locks, log }),
    segments: createShelf(segmentKind, { writes, locks, log }),
    root: () => replica.root(),
    importDocument: importer.run,

    exportDocument(namespaces = ruleset.namespaces()) {
      return {
        flags: namespaces.flatMap((name) => ruleset.flags(name).map(flagKind.definition)),
        segments: namespaces.flatMap((name) => ruleset.segments(name).map(segmentKind.definition)),
      }
    },

    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    load() {
      const registerKeys: string[] = []
      for (const record of replica.records()) registerKeys.push(record.key)
      take(registerKeys)
    },

    onReplicaEvent(event) {
      if (event.type === 'changed') take(event.keys)
      if (event.type === 'forged') log.onForged(event.keys)
      writes.onEvent(event)
    },

    onForgotten(registerKeys) {
      log.onForgotten(registerKeys)
      take(registerKeys)
    },
  }
}

/** What is there in namespaces other than these. */
function outside(existing: Existing, namespaces: ReadonlySet<string>): Existing {
  return {
    flag: (namespace, key) => (namespaces.has(namespace) ? undefined : existing.flag(namespace, key)),
    segment: (namespace, key) => (namespaces.has(namespace) ? undefined : existing.segment(namespace, key)),
  }
}

function* values(replica: Replica, registerKeys: readonly string[]): Iterable<RegisterValue> {
  for (const key of registerKeys) {
    yield replica.get(key) ?? { key, stamp: '', value: null }
  }
}

/** Paths of one thing's faults start with the list it was checked in: `flags[0].rules`. */
function withoutIndex(faults: ReturnType<typeof checkReferences>): ReturnType<typeof checkReferences> {
  return faults.map(({ path, message }) => ({ path: path.replace(/^(flags|segments)\[0\]\.?/, ''), message }))
}
