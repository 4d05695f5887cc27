/**
 * Why something that arrived was not listened to:
 * `foreignMesh` another mesh name, `badSeal` not sealed by a key we hold (or sealed while we hold none), `replayed`
 * seen before or too old to tell, `malformed` not what its channel carries, `tooLarge` above its channel's limit,
 * `unknownVersion` of an envelope newer than ours.
 */
export const dropCauses = ['foreignMesh', 'badSeal', 'replayed', 'malformed', 'tooLarge', 'unknownVersion'] as const

export type DropCause = (typeof dropCauses)[number]

/** Counts what was dropped since the start of the process, by cause. */
export class Drops {
  readonly #counts: Record<DropCause, number> = {
    foreignMesh: 0,
    badSeal: 0,
    replayed: 0,
    malformed: 0,
    tooLarge: 0,
    unknownVersion: 0,
  }

  count(cause: DropCause): void {
    this.#counts[cause]++
  }

  counts(): Readonly<Record<DropCause, number>> {
    return { ...this.#counts }
  }
}
