/**
 * Lets one write at a time through for each key, so that what a write checked (`If-Match`) still holds when it is stored.
 * Writes to different keys go side by side and share the disk's group commit.
 */
export interface KeyLocks {
  /** Runs `work` when all earlier work on any of `keys` has ended. Taking all keys in one step cannot deadlock. */
  run<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>
}

export function createKeyLocks(): KeyLocks {
  const tails = new Map<string, Promise<unknown>>()
  return {
    run(keys, work) {
      const earlier = keys.map((key) => tails.get(key))
      const result = Promise.all(earlier).then(work)
      const tail = result.catch(() => undefined)
      for (const key of keys) tails.set(key, tail)
      tail.then(() => {
        for (const key of keys) if (tails.get(key) === tail) tails.delete(key)
      })
      return result
    },
  }
}
