import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { fuzzWire } from './run.ts'
import { megabytes, type WireFuzzReport } from './storm.ts'

/**
 * Throws random bytes and garbled traffic at real nodes, at the socket of the mesh and at POST /mesh/bulk: half of it at one without a mesh
 * key, half at one with a key. Each must stay up, go on answering evaluations, keep nothing of it and hold no more memory.
 * `npm run fuzz:wire -- [--datagrams 1000000] [--bodies 100000] [--seed N]`
 */

const { values } = parseArgs({
  options: {
    datagrams: { type: 'string', default: '1000000' },
    bodies: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
  },
})
const [datagrams, bodies, seed] = [Number(values.datagrams), Number(values.bodies), Number(values.seed)]
console.log(`npm run fuzz:wire -- --datagrams ${datagrams} --bodies ${bodies} --seed ${seed}`)

for (const keyed of [false, true]) {
  const log = (line: string) => console.log(`${keyed ? 'with' : 'without'} a mesh key: ${line}`)
  tell(log, await fuzzWire({ datagrams: Math.ceil(datagrams / 2), bodies: Math.ceil(bodies / 2), seed, keyed, log }))
}

function tell(log: (line: string) => void, report: WireFuzzReport): void {
  const { datagramsReached, datagramsSent, bodiesAnswered, probes, probesAnswered, residentBytes, faults } = report
  const [warm, most, last] = [residentBytes.warm, residentBytes.most, residentBytes.last].map(megabytes)
  log(`${datagramsReached} datagrams reached the node of ${datagramsSent} sent, ${bodiesAnswered} bodies were answered`)
  log(
    `in ${report.seconds.toFixed(0)} s; ${probesAnswered} of ${probes} probes and all of ${report.evaluations} evaluations answered`,
  )
  log(`memory ${warm} MB when a fifth had come, then at most ${most}, ${last} at the end`)
  console.table(report.made)
  console.table(report.drops)
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exitCode = 1
}
