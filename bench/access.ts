import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'

/**
 * What API keys, rate limits and the audit log cost an evaluation: autocannon against a node with them and a node without,
 * in one process, in turn. `node bench/access.ts [--rounds 21] [--seconds 2]`
 */

interface Ready {
  readonly open: string
  readonly guarded: string
  readonly secret: string
}

interface Round {
  readonly requestsPerSecond: number
  /** Processor time of the server, in microseconds. */
  readonly cpuUsPerRequest: number
}

/** The share of requests a second that they may cost. */
const costMax = 0.05
const connections = 32
const pipelining = 8

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, seconds: { type: 'string', default: '2' } },
})
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]

const server = fork(new URL('access-server.ts', import.meta.url))
const [ready] = (await once(server, 'message')) as [Ready]
const headers = { 'x-api-key': ready.secret }
const measured: Record<'open' | 'guarded', Round[]> = { open: [], guarded: [] }
await measure(server, ready.open, {}, 1)
await measure(server, ready.guarded, headers, 1)
const measureOpen = async () => measured.open.push(await measure(server, ready.open, {}, seconds))
const measureGuarded = async () => measured.guarded.push(await measure(server, ready.guarded, headers, seconds))
for (let round = 0; round < rounds; round++) {
  // Each of them first every other time, so that a machine that gets slower or faster favours neither.
  if (round % 2 === 0) await measureOpen()
  await measureGuarded()
  if (round % 2 === 1) await measureOpen()
}
server.disconnect()
report()

async function measure(
  child: ChildProcess,
  url: string,
  sent: Readonly<Record<string, string>>,
  duration: number,
): Promise<Round> {
  const before = await cpuUs(child)
  const { requests, errors, non2xx } = await autocannon({ url, headers: sent, connections, pipelining, duration })
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} answers other than 2xx from ${url}`)
  const used = (await cpuUs(child)) - before
  return { requestsPerSecond: requests.average, cpuUsPerRequest: used / requests.total }
}

async function cpuUs(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [message] = (await once(child, 'message')) as [{ cpuUs: number }]
  return message.cpuUs
}

function report(): void {
  const [open, guarded] = [medians(measured.open), medians(measured.guarded)]
  const cost = 1 - median(ratios((round) => round.requestsPerSecond))
  const cpuCost = median(ratios((round) => round.cpuUsPerRequest)) - 1
  const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`
  console.table({ 'open node': rounded(open), 'keys, limits, audit': rounded(guarded) })
  console.log(
    `cost ${percent(cost)} of requests/s (at most ${percent(costMax)}), ${percent(cpuCost)} of processor time; ` +
      `median of ${rounds} pairs of ${seconds} s, ${machine}`,
  )
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const result = { cost, cpuCost, costMax, open, guarded, rounds, seconds, connections, pipelining, machine, measured }
  writeFileSync(new URL('access.json', folder), `${JSON.stringify(result, null, 2)}\n`)
  if (cost > costMax) process.exitCode = 1
}

/** Of each pair, because what else the machine does changes from pair to pair. */
function ratios(pick: (round: Round) => number): number[] {
  return measured.guarded.map((round, i) => pick(round) / pick(measured.open[i] as Round))
}

function medians(all: readonly Round[]): Round {
  return {
    requestsPerSecond: median(all.map((round) => round.requestsPerSecond)),
    cpuUsPerRequest: median(all.map((round) => round.cpuUsPerRequest)),
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function rounded({ requestsPerSecond, cpuUsPerRequest }: Round): object {
  return { 'requests/s': Math.round(requestsPerSecond), 'cpu us/request': Number(cpuUsPerRequest.toFixed(1)) }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
