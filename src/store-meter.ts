import type { RegisterStore } from './replica/ports.ts'

/** What a store was asked to do since the start; names as in docs/metrics.md. */
export type StoreCounters = Readonly<
  Record<'appends' | 'appendFailures' | 'recordsWritten' | 'appendSeconds' | 'recordsRemoved', number>
>

export interface MeteredStore {
  readonly store: RegisterStore
  counters(): StoreCounters
}

/** A store that counts what it is asked to do, and how long its disk takes. `monotonicMs` reads a clock that never goes back. */
export function meterStore(store: RegisterStore, monotonicMs: () => number): MeteredStore {
  const counts = { appends: 0, appendFailures: 0, recordsWritten: 0, appendSeconds: 0, recordsRemoved: 0 }
  return {
    counters: () => ({ ...counts }),
    store: {
      load: () => store.load(),
      failure: () => store.failure(),
      close: () => store.close(),
      append(records, notes) {
        const startedMs = monotonicMs()
        const stored = store.append(records, notes)
        stored.then(
          () => {
            counts.appends++
            counts.recordsWritten += records.length
            counts.appendSeconds += (monotonicMs() - startedMs) / 1_000
          },
          () => counts.appendFailures++,
        )
        return stored
      },
      remove(keys) {
        counts.recordsRemoved += keys.length
        return store.remove(keys)
      },
    },
  }
}
