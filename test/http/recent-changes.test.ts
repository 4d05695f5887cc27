import { expect, test } from 'vitest'
import { changesRememberedMax } from '../../src/base/limits.ts'
import type { CatalogChange } from '../../src/catalog/ports.ts'
import { type RecentChanges, recentChanges } from '../../src/http/recent-changes.ts'

/** A catalog of which only root and changes are asked. */
function fakeCatalog() {
  const listeners = new Set<(change: CatalogChange) => void>()
  let root = 'r0'
  return {
    root: () => root,
    onChange(listener: (change: CatalogChange) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    listeners,
    change(next: string, key: string, version: string | null, namespace = 'default') {
      root = next
      const namespaces = new Map([[namespace, { flags: new Map([[key, version]]), segments: new Map() }]])
      for (const listener of listeners) listener({ root, namespaces })
    },
  }
}

function flagsSince(recent: RecentChanges, root: string, namespace = 'default'): object | undefined {
  const change = recent.since(root, namespace)
  return change && Object.fromEntries(change.flags)
}

test('what changed since a root is told as one change, the last of each key', () => {
  const catalog = fakeCatalog()
  const recent = recentChanges(catalog)
  catalog.change('r1', 'a', 'v1')
  catalog.change('r2', 'b', 'v2')
  catalog.change('r3', 'a', null)
  catalog.change('r4', 'c', 'v4', 'other')
  expect(flagsSince(recent, 'r0')).toEqual({ a: null, b: 'v2' })
  expect(flagsSince(recent, 'r1')).toEqual({ a: null, b: 'v2' })
  expect(flagsSince(recent, 'r2')).toEqual({ a: null })
  expect(flagsSince(recent, 'r4')).toEqual({})
  expect(flagsSince(recent, 'r3', 'other')).toEqual({ c: 'v4' })
  expect(flagsSince(recent, 'never')).toBeUndefined()
})

test('the root in force is known though no change led to it', () => {
  const catalog = fakeCatalog()
  const recent = recentChanges(catalog)
  catalog.change('r1', 'a', 'v1')
  expect([recent.knows('r0'), recent.knows('r1'), recent.knows('r2')]).toEqual([true, true, false])
  catalog.root = () => 'r2'
  expect(recent.knows('r2')).toBe(true)
  expect(flagsSince(recent, 'r2')).toEqual({})
})

test('memory is bounded: at least so many changes are remembered, and the oldest are not', () => {
  const catalog = fakeCatalog()
  const recent = recentChanges(catalog)
  const count = 5 * changesRememberedMax
  for (let i = 1; i <= count; i++) catalog.change(`r${i}`, `k${i}`, 'v')
  expect(recent.knows(`r${count - changesRememberedMax}`)).toBe(true)
  expect(Object.keys(flagsSince(recent, `r${count - changesRememberedMax}`) ?? {})).toHaveLength(changesRememberedMax)
  expect(recent.knows(`r${count - 2 * changesRememberedMax - 1}`)).toBe(false)
  recent.stop()
  expect(catalog.listeners.size).toBe(0)
})
