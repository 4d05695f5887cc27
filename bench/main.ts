import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Runs the benchmarks one after the other, each in a process of its own: `npm run bench`, or `npm run bench -- http idle` for some. Each prints
 * what it measured, writes it to `bench/results/NAME.json`, and ends with 1 where its goal was missed.
 */
const all = [
  'evaluation',
  'http',
  'access',
  'propagation',
  'idle',
  'cold-node',
  'heal',
  'membership',
  'revocation',
] as const

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !existsSync(join(import.meta.dirname, `${name}.ts`)))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}.`)
  process.exit(2)
}

const rows: string[] = []
for (const name of wanted.length > 0 ? wanted : all) {
  console.log(`\n== ${name}`)
  const startedMs = performance.now()
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  const seconds = Math.round((performance.now() - startedMs) / 1_000)
  rows.push(
    `${name.padEnd(12)} ${String(seconds).padStart(4)} s  ${code === 0 ? 'goal met' : 'goal missed, or failed'}`,
  )
}
console.log(`\n${rows.join('\n')}`)
process.exit(rows.every((row) => row.endsWith('goal met')) ? 0 : 1)
