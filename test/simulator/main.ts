import { parseArgs } from 'node:util'
import { runChaos } from './chaos.ts'
import { runWeeks } from './weeks.ts'

const usage = 'npm run sim -- --seed N [--nodes N] [--minutes M | --weeks ROUNDS] [--runs N]'

/** Runs seeds one after the other, each under all faults, and says what became of it. */
function main(): void {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      nodes: { type: 'string', default: '8' },
      minutes: { type: 'string', default: '1' },
      weeks: { type: 'string', default: '0' },
      runs: { type: 'string', default: '1' },
    },
  })
  const [first, nodes, minutes] = [values.seed, values.nodes, values.minutes].map(Number)
  const [rounds, runs] = [values.weeks, values.runs].map(Number)
  if (first === undefined || !nodes || !minutes || rounds === undefined || !runs) throw new Error(usage)
  for (let seed = first; seed < first + runs; seed++) {
    const startedMs = performance.now()
    const told = rounds > 0 ? tellWeeks(seed, nodes, rounds) : tellChaos(seed, nodes, Math.round(minutes * 60_000))
    process.stdout.write(`seed ${seed}: ${told} (${((performance.now() - startedMs) / 1_000).toFixed(1)} s)\n`)
  }
}

function tellChaos(seed: number, nodes: number, durationMs: number): string {
  const { acknowledged, refused, conflicts, struck, convergedMs } = runChaos({ seed, nodes, durationMs })
  const faults = [...struck.values()].reduce((sum, times) => sum + times, 0)
  return (
    `${acknowledged} writes acknowledged, ${refused} refused, ${conflicts} conflicts seen, ` +
    `${faults} faults of ${struck.size} kinds, equal roots after ${convergedMs} ms`
  )
}

function tellWeeks(seed: number, nodes: number, rounds: number): string {
  const { acknowledged, days, longReturns, restores } = runWeeks(seed, nodes, rounds)
  const returns = `${longReturns} returns after more than the retention, ${restores} old backups restored`
  return `${acknowledged} writes acknowledged, ${days} days, ${returns}`
}

main()
