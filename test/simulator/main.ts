import { parseArgs } from 'node:util'
import { runChaos } from './chaos.ts'
import { runSwimChaos } from './swim-chaos.ts'
import { runWeeks } from './weeks.ts'

const usage = 'npm run sim -- --seed N [--nodes N] [--minutes M [--members] | --weeks ROUNDS] [--runs N]'

/** Runs seeds one after the other, each under all faults, and says what became of it; `--members` runs the membership by itself. */
function main(): void {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      nodes: { type: 'string', default: '8' },
      minutes: { type: 'string', default: '1' },
      weeks: { type: 'string', default: '0' },
      members: { type: 'boolean', default: false },
      runs: { type: 'string', default: '1' },
    },
  })
  const [first, nodes, minutes] = [values.seed, values.nodes, values.minutes].map(Number)
  const [rounds, runs] = [values.weeks, values.runs].map(Number)
  if (first === undefined || !nodes || !minutes || rounds === undefined || !runs) throw new Error(usage)
  for (let seed = first; seed < first + runs; seed++) {
    const startedMs = performance.now()
    const durationMs = Math.round(minutes * 60_000)
    const tellMinutes = values.members ? tellMembers : tellChaos
    const told = rounds > 0 ? tellWeeks(seed, nodes, rounds) : tellMinutes(seed, nodes, durationMs)
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

function tellMembers(seed: number, nodes: number, durationMs: number): string {
  const { struck, agreedMs } = runSwimChaos(seed, nodes, durationMs)
  const faults = [...struck.values()].reduce((sum, times) => sum + times, 0)
  return `${faults} faults of ${struck.size} kinds, the same members everywhere after ${agreedMs} ms`
}

function tellWeeks(seed: number, nodes: number, rounds: number): string {
  const { acknowledged, days, longReturns, restores } = runWeeks(seed, nodes, rounds)
  const returns = `${longReturns} returns after more than the retention, ${restores} old backups restored`
  return `${acknowledged} writes acknowledged, ${days} days, ${returns}`
}

main()
