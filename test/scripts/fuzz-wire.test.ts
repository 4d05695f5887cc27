import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { kinds } from '../../scripts/fuzz-wire/inputs.ts'
import { fuzzWire } from '../../scripts/fuzz-wire/run.ts'

test.each([false, true])(
  'ten thousand garbled datagrams and bulk bodies leave a node as it was, mesh key: %s',
  async (keyed) => {
    const seed = randomInt(2 ** 32)
    const log = () => undefined
    const report = await fuzzWire({ datagrams: 10_000, bodies: 1_000, seed, keyed, log })
    expect(report.faults, `seed ${seed}`).toEqual([])
    expect(report.datagramsReached).toBeGreaterThanOrEqual(10_000)
    expect(report.bodiesAnswered).toBe(1_000)
    expect(report.evaluations).toBeGreaterThan(10)
    // Each kind of input was made, and each cause of a drop that the mesh tells apart was met.
    for (const kind of kinds) expect(report.made[kind]).toBeGreaterThan(500)
    const causes = [
      'malformed',
      'foreign_mesh',
      'too_large',
      'unknown_version',
      ...(keyed ? ['bad_seal', 'replayed'] : []),
    ]
    for (const cause of causes) expect(report.drops[`flags_mesh_dropped_${cause}_total`], cause).toBeGreaterThan(0)
    for (const cause of ['corrupt', 'malformed', 'version'])
      expect(report.drops[`flags_replica_packets_dropped_${cause}_total`], cause).toBeGreaterThan(0)
  },
)
