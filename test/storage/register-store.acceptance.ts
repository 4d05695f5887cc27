import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { noStamp } from '../../src/crdt/stamp.ts'
import type { RegisterStore } from '../../src/replica/ports.ts'
import { notesAt, plain, recordOf, stampAt } from './records.ts'

/** One place that a store keeps its records in. */
export interface StorePlace {
  open(): RegisterStore
  /** Frees what the place holds. */
  discard(): void
}

export interface StoreKind {
  readonly name: string
  /** Whether what was appended is there after closing and opening again. */
  readonly durable: boolean
  makePlace(): StorePlace
}

/** What every RegisterStore promises, the simulated disk included. */
export function acceptRegisterStore(kind: StoreKind): void {
  const discards: (() => void)[] = []
  const place = (): StorePlace => {
    const made = kind.makePlace()
    discards.push(() => made.discard())
    return made
  }
  const reopen = async (at: StorePlace, store: RegisterStore): Promise<RegisterStore> => {
    await store.close()
    return at.open()
  }

  afterEach(() => {
    for (const discard of discards.splice(0)) discard()
  })

  test(`${kind.name}: a new place is empty and has an identity of its own`, async () => {
    const [store, other] = [place().open(), place().open()]
    const [loaded, otherLoaded] = [await store.load(), await other.load()]
    expect([...loaded.records]).toEqual([])
    expect(loaded.notes).toEqual({ issued: noStamp, lastContactWallMs: 0 })
    expect(loaded.nodeId).toMatch(/^[0-9a-f]{16}$/)
    expect(loaded.nodeId).not.toBe(otherLoaded.nodeId)
    expect(store.failure()).toBeNull()
    await Promise.all([store.close(), other.close()])
  })

  test(`${kind.name}: appends resolve in the order in which they were made`, async () => {
    const store = place().open()
    await store.load()
    const order: number[] = []
    const appends = Array.from({ length: 50 }, (_, i) =>
      store.append([recordOf(`k${i}`, i + 1, 'v')], notesAt(i + 1)).then(() => order.push(i)),
    )
    await Promise.all(appends)
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i))
    await store.close()
  })

  test(`${kind.name}: closing waits for the appends before it and refuses those after it`, async () => {
    const store = place().open()
    await store.load()
    const before = store.append([recordOf('before', 1, 'v')], notesAt(1))
    const closed = store.close()
    await expect(store.append([recordOf('after', 2, 'v')], notesAt(2))).rejects.toThrow('closed')
    await expect(before).resolves.toBeUndefined()
    await closed
    await store.close()
  })

  if (!kind.durable) return

  test(`${kind.name}: records, notes and the identity are there after a restart`, async () => {
    const at = place()
    let store = at.open()
    const { nodeId } = await store.load()
    const records = [recordOf('a', 1, 'one'), recordOf('b', 1, ''), recordOf('c', 1, null)]
    await store.append(records, notesAt(7))
    store = await reopen(at, store)
    const loaded = await store.load()
    expect(plain(loaded.records)).toEqual(plain(records))
    expect(loaded.notes).toEqual(notesAt(7))
    expect(loaded.nodeId).toBe(nodeId)
    await store.close()
  })

  test(`${kind.name}: the newest stamp of a register wins, whichever was appended last`, async () => {
    const at = place()
    let store = at.open()
    await store.load()
    void store.append([recordOf('k', 1, 'first'), recordOf('j', 5, 'newer')], notesAt(1))
    void store.append([recordOf('k', 2, null), recordOf('j', 4, 'older')], notesAt(2))
    store = await reopen(at, store)
    expect(plain((await store.load()).records)).toEqual(plain([recordOf('k', 2, null), recordOf('j', 5, 'newer')]))
    await store.close()
  })

  test(`${kind.name}: what was removed is gone, and can be written anew with an older stamp`, async () => {
    const at = place()
    let store = at.open()
    await store.load()
    void store.append([recordOf('gone', 9, null), recordOf('again', 9, null), recordOf('stays', 9, 'v')], notesAt(9))
    void store.remove(['gone', 'again', 'never-there'])
    void store.append([recordOf('again', 3, 'v')], notesAt(9))
    store = await reopen(at, store)
    expect(plain((await store.load()).records)).toEqual(plain([recordOf('stays', 9, 'v'), recordOf('again', 3, 'v')]))
    await store.close()
  })

  test(`${kind.name}: notes are kept without any record`, async () => {
    const at = place()
    let store = at.open()
    await store.load()
    await store.append([], notesAt(11))
    store = await reopen(at, store)
    expect((await store.load()).notes).toEqual(notesAt(11))
    await store.close()
  })

  test(`${kind.name}: any key and any bytes come back as they were`, async () => {
    const entry = fc.record({
      key: fc.string({ unit: 'binary', maxLength: 60 }),
      value: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null }),
      // Views into a larger buffer, as decoded packets are.
      shift: fc.nat({ max: 7 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(entry, { selector: ({ key }) => key, maxLength: 30 }), async (entries) => {
        const at = place()
        let store = at.open()
        await store.load()
        const records = entries.map(({ key, value, shift }) => ({
          key,
          stamp: stampAt(2),
          seen: stampAt(1),
          value: value && new Uint8Array([...new Uint8Array(shift), ...value]).subarray(shift),
        }))
        await store.append(records, notesAt(2))
        expect(records.every(({ value }, i) => value?.length === entries[i]?.value?.length)).toBe(true)
        store = await reopen(at, store)
        expect(plain((await store.load()).records)).toEqual(plain(records))
        await store.close()
      }),
      { numRuns: 12 },
    )
  })
}
