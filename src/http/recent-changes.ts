import { changesRememberedMax } from '../base/limits.ts'
import type { Catalog, CatalogChange } from '../catalog/ports.ts'

/** What changed in one namespace: key -> version, null for what is gone. */
export interface NamespaceChange {
  readonly flags: ReadonlyMap<string, string | null>
  readonly segments: ReadonlyMap<string, string | null>
}

/** The last changes of the ruleset, by the roots they led to. */
export interface RecentChanges {
  /** Whether this is the root in force, or was not long ago. */
  knows(root: string): boolean
  /** Everything in the namespace that changed after `root` was in force; undefined when that is not known any more. */
  since(root: string, namespace: string): NamespaceChange | undefined
  stop(): void
}

export function recentChanges(catalog: Pick<Catalog, 'root' | 'onChange'>): RecentChanges {
  let base = catalog.root()
  let changes: CatalogChange[] = []
  const stop = catalog.onChange((change) => {
    changes.push(change)
    if (changes.length < 2 * changesRememberedMax) return
    base = changes[changesRememberedMax - 1]?.root ?? base
    changes = changes.slice(changesRememberedMax)
  })

  /** Index of the first change after `root` was in force; -1 for never heard of. */
  function indexAfter(root: string): number {
    const last = changes.findLastIndex((change) => change.root === root)
    if (last >= 0) return last + 1
    if (root === catalog.root()) return changes.length
    return root === base ? 0 : -1
  }

  return {
    knows: (root) => indexAfter(root) >= 0,
    since(root, namespace) {
      const index = indexAfter(root)
      if (index < 0) return undefined
      const flags = new Map<string, string | null>()
      const segments = new Map<string, string | null>()
      for (let i = index; i < changes.length; i++) {
        const change = changes[i]?.namespaces.get(namespace)
        for (const [key, version] of change?.flags ?? []) flags.set(key, version)
        for (const [key, version] of change?.segments ?? []) segments.set(key, version)
      }
      return { flags, segments }
    },
    stop,
  }
}
