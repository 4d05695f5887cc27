import type { Cut, Life } from './arena.ts'

/** A node said of another that it is dead. */
export interface Death {
  readonly by: number
  readonly of: number
  readonly atWallMs: number
}

/** How long after a cut has healed what was decided before may still arrive. */
const newsMs = 1_000

/** From the nodes' logs: declared dead although they ran, and no cut lay between the two. A process that stands still (SIGSTOP) runs. */
export function declaredDead(lives: readonly Life[], cuts: readonly Cut[]): Death[] {
  return lives.flatMap(({ node: by, process }) =>
    process.log
      .filter(({ msg }) => msg === 'member down')
      .flatMap(({ member, time }) => {
        const atWallMs = Number(time)
        const subject = lives.find(({ id, ...life }) => id === member && isDuring(life, atWallMs))
        const unjust = subject !== undefined && !cuts.some((cut) => separated(cut, by, subject.node, atWallMs))
        return unjust ? [{ by, of: subject.node, atWallMs }] : []
      }),
  )
}

function separated(cut: Cut, a: number, b: number, atWallMs: number): boolean {
  const [side, other] = cut.sides
  const between = (side.includes(a) && other.includes(b)) || (side.includes(b) && other.includes(a))
  return between && isDuring({ fromWallMs: cut.fromWallMs, toWallMs: cut.toWallMs + newsMs }, atWallMs)
}

function isDuring(
  { fromWallMs, toWallMs }: { readonly fromWallMs: number; readonly toWallMs: number | null },
  atWallMs: number,
): boolean {
  return atWallMs >= fromWallMs && (toWallMs === null || atWallMs < toWallMs)
}
