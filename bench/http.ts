import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'

/**
 * How much of what Fastify can do `GET /flags/:key/evaluate` keeps: autocannon against it and against a bare route that sends
 * a fixed object of the same size to the same request, in one process, in turn. A bare route with a short path and no query is measured
 * as well: the difference between the two is what Fastify takes to read the longer URL. `node bench/http.ts [--rounds 5] [--seconds 4]`
 */

interface Ready {
  readonly evaluate: string
  readonly bare: string
  readonly short: string
  readonly answer: object
}

interface Round {
  readonly requestsPerSecond: number
  /** Processor time of the server, in microseconds. */
  readonly cpuUsPerRequest: number
  readonly p99Ms: number
}

const goal = 0.85
const connections = 32
/** Requests on their way per connection: enough that the server is the bottleneck, and not its driver. */
const pipelining = 8

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' } },
})
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]

const server = fork(new URL('http-server.ts', import.meta.url))
const [ready] = (await once(server, 'message')) as [Ready]
const measured: Record<'bare' | 'short' | 'evaluate', Round[]> = { bare: [], short: [], evaluate: [] }
for (const url of [ready.bare, ready.short, ready.evaluate]) await measure(server, url, 1)
for (let round = 0; round < rounds; round++) {
  measured.bare.push(await measure(server, ready.bare, seconds))
  measured.short.push(await measure(server, ready.short, seconds))
  measured.evaluate.push(await measure(server, ready.evaluate, seconds))
}
server.disconnect()
report()

async function measure(child: ChildProcess, url: string, duration: number): Promise<Round> {
  const before = await cpuUs(child)
  const { requests, latency, errors, non2xx } = await autocannon({ url, connections, pipelining, duration })
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} answers other than 2xx from ${url}`)
  const used = (await cpuUs(child)) - before
  return { requestsPerSecond: requests.average, cpuUsPerRequest: used / requests.total, p99Ms: latency.p99 }
}

async function cpuUs(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [message] = (await once(child, 'message')) as [{ cpuUs: number }]
  return message.cpuUs
}

function report(): void {
  const bare = medians(measured.bare)
  const short = medians(measured.short)
  const evaluate = medians(measured.evaluate)
  const ratioToShort = evaluate.requestsPerSecond / short.requestsPerSecond
  const ratio = evaluate.requestsPerSecond / bare.requestsPerSecond
  const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`
  console.table({
    'bare route': rounded(bare),
    'bare route, short path': rounded(short),
    'GET /flags/:key/evaluate': rounded(evaluate),
  })
  console.log(
    `ratio ${ratio.toFixed(3)} (goal ${goal}), to the short path ${ratioToShort.toFixed(3)}, medians of ${rounds} rounds of ${seconds} s in turn, ${machine}`,
  )
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const result = {
    ratio,
    ratioToShort,
    goal,
    bare,
    short,
    evaluate,
    rounds,
    seconds,
    connections,
    pipelining,
    answer: ready.answer,
    machine,
    measured,
  }
  writeFileSync(new URL('http.json', folder), `${JSON.stringify(result, null, 2)}\n`)
  if (ratio < goal) process.exitCode = 1
}

function medians(all: readonly Round[]): Round {
  const median = (pick: (round: Round) => number) =>
    all.map(pick).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
  return {
    requestsPerSecond: median((round) => round.requestsPerSecond),
    cpuUsPerRequest: median((round) => round.cpuUsPerRequest),
    p99Ms: median((round) => round.p99Ms),
  }
}

function rounded({ requestsPerSecond, cpuUsPerRequest, p99Ms }: Round): object {
  return {
    'requests/s': Math.round(requestsPerSecond),
    'cpu us/request': Number(cpuUsPerRequest.toFixed(1)),
    'p99 ms': p99Ms,
  }
}
