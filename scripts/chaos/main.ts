import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadBefore, machine } from '../../bench/support/report.ts'
import { whyNoVirtualNetwork } from '../../test/e2e/harness/virtual-network.ts'
import { type ChaosOptions, parseOptions, usage } from './arguments.ts'
import { runChaos } from './run.ts'
import { blastRadius } from './table.ts'

const resultsPath = join(import.meta.dirname, '../../bench/results/chaos.json')

/** `npm run chaos`: see arguments.ts. Gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const options = optionsOf(argv)
  if (typeof options === 'number') return options
  const whyNot = whyNoVirtualNetwork()
  const wired = whyNot === null
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const { nodes, minutes, seed } = options
  say(
    `seed ${seed}: ${nodes} nodes for ${minutes} minutes, ${wired ? 'a network namespace each' : `on loopback, as ${whyNot}`}`,
  )
  const report = await runChaos(options, wired, say)
  const command = `npm run chaos -- --nodes ${nodes} --minutes ${minutes} --seed ${seed}`
  const table = blastRadius(report.rows, report.skipped)
  process.stdout.write(`\n${table}\n\n${command}; ${machine()}, load ${loadBefore} before\n`)
  for (const line of report.broken) process.stderr.write(`${line}\n`)
  const result = { command, nodes, minutes, seed, wired, ...report }
  const whole = { ...result, machine: machine(), loadBefore, at: new Date().toISOString() }
  writeFileSync(options.out ?? resultsPath, `${JSON.stringify(whole, null, 2)}\n`)
  return report.broken.length === 0 ? 0 : 1
}

function optionsOf(argv: readonly string[]): ChaosOptions | number {
  try {
    const options = parseOptions(argv, Date.now() % 0x1_0000_0000)
    if (options === null) process.stdout.write(usage)
    return options ?? 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
}

function say(line: string): void {
  process.stdout.write(`${(performance.now() / 1_000).toFixed(1).padStart(6)} s  ${line}\n`)
}

process.exit(await main(process.argv.slice(2)))
