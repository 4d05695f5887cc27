import { parseArgs } from 'node:util'
import { runChaos } from './chaos.ts'

/** `npm run sim -- --seed N [--nodes N] [--minutes M] [--runs N]`: runs seeds one after the other, each under all faults. */
function main(): void {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      nodes: { type: 'string', default: '8' },
      minutes: { type: 'string', default: '1' },
      runs: { type: 'string', default: '1' },
    },
  })
  const [first, nodes, minutes, runs] = [values.seed, values.nodes, values.minutes, values.runs].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  for (let seed = first; seed < first + runs; seed++) {
    const startedMs = performance.now()
    const report = runChaos({ seed, nodes, durationMs: minutes * 60_000 })
    const faults = [...report.struck.values()].reduce((sum, times) => sum + times, 0)
    const tookS = ((performance.now() - startedMs) / 1_000).toFixed(1)
    process.stdout.write(
      `seed ${seed}: ${report.acknowledged} writes acknowledged, ${report.refused} refused, ${report.conflicts} conflicts seen, ` +
        `${faults} faults of ${report.struck.size} kinds, equal roots after ${report.convergedMs} ms (${tookS} s)\n`,
    )
  }
}

main()
