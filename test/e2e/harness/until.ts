import { setTimeout as delay } from 'node:timers/promises'

const lookEveryMs = 50

/** Waits until `look` gives something other than null; throws with `what`, and the last it saw, when it does not in time. */
export async function until<T>(what: string, look: () => Promise<T | null>, deadlineMs = 45_000): Promise<T> {
  const endMs = performance.now() + deadlineMs
  for (;;) {
    const seen = await look()
    if (seen !== null) return seen
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await delay(lookEveryMs)
  }
}
