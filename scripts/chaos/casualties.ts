/** What an evaluation came to. */
export interface Outcome {
  /** Index of the node that was asked. */
  readonly node: number
  /** Why it failed; null when it was answered. */
  readonly failure: string | null
  /** Age of the oldest acknowledged write that the answer does not show; 0 when it shows all that it should. */
  readonly behindMs: number
  readonly tookMs: number
}

/** The damage done from one strike until the next one, to the nodes that were not struck themselves. */
export class Casualties {
  readonly fault: string
  readonly fromWallMs: number
  readonly affected = new Set<number>()
  readonly failures: string[] = []
  evaluations = 0
  older = 0
  behindMsMax = 0
  slowestMs = 0
  /** From the end of the fault; null when it did not happen in time. */
  rootsEqualMs: number | null = null
  /** How much of that the start of processes took. */
  startingMs = 0
  acknowledged = 0
  lost: readonly string[] = []
  declaredDead = 0

  constructor(fault: string, fromWallMs: number) {
    this.fault = fault
    this.fromWallMs = fromWallMs
  }

  add({ node, failure, behindMs, tookMs }: Outcome): void {
    this.evaluations++
    this.slowestMs = Math.max(this.slowestMs, tookMs)
    if (failure !== null) this.failures.push(`node ${node}: ${failure}`)
    if (behindMs > 0) this.older++
    this.behindMsMax = Math.max(this.behindMsMax, behindMs)
    if (failure !== null || behindMs > 0) this.affected.add(node)
  }
}
