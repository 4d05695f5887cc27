/** Deaths that come within this time may have one cause: a partition is noticed member by member, over two suspicions. */
const windowMs = 10_000
/** One machine that dies is a machine that dies. */
const deathsMin = 2
/** The share of the mesh that machines do not lose one by one. */
const shareMin = 1 / 3

/**
 * Counts partitions that a node suspects: when within a short time a third of the mesh is held dead, two members at least, the network
 * is the likelier cause. Nobody can tell them from so many crashes; so it is told to operators, and decides nothing.
 */
export class PartitionWatch {
  #deathsMs: number[] = []
  #countedMs = Number.NEGATIVE_INFINITY
  #suspected = 0

  /** A member is held dead, and `liveCount` others are alive, this node included. `nowMs` is monotonic. */
  onDeath(nowMs: number, liveCount: number): void {
    this.#deathsMs = [...this.#deathsMs.filter((atMs) => nowMs - atMs <= windowMs), nowMs]
    const deaths = this.#deathsMs.length
    const isSuspect = deaths >= deathsMin && deaths >= shareMin * (liveCount + deaths)
    // What else dies soon after belongs to the same.
    if (isSuspect && nowMs - this.#countedMs > windowMs) this.#suspected++
    if (isSuspect) this.#countedMs = nowMs
  }

  get suspected(): number {
    return this.#suspected
  }
}
