import { ask, meshOf, rootOf } from '../../test/e2e/harness/api.ts'
import { startEvaluations } from '../../test/e2e/harness/evaluation-load.ts'
import type { NodeProcess } from '../../test/e2e/harness/launch.ts'
import { type Metrics, metricsOf } from '../../test/e2e/harness/metrics.ts'
import type { RawPeer } from '../../test/e2e/harness/raw-peer.ts'
import { until } from '../../test/e2e/harness/until.ts'
import type { Inputs, Kind } from './inputs.ts'
import type { PacedSocket } from './paced-socket.ts'
import { agreement } from './traffic.ts'

export interface StormParts {
  readonly node: NodeProcess
  readonly peer: RawPeer
  readonly socket: PacedSocket
  readonly inputs: Inputs
  readonly datagrams: number
  readonly bodies: number
  readonly log: (line: string) => void
}

export interface WireFuzzReport {
  /** Datagrams that the node's socket received, those of its peer and the probes not counted. */
  readonly datagramsReached: number
  readonly datagramsSent: number
  readonly bodiesAnswered: number
  readonly made: Readonly<Record<Kind, number>>
  /** What the node counted as dropped, by the names of its metrics. */
  readonly drops: Readonly<Record<string, number>>
  readonly probes: number
  readonly probesAnswered: number
  readonly evaluations: number
  readonly residentBytes: ResidentBytes
  readonly seconds: number
  /** What should not have happened, one sentence each. */
  readonly faults: readonly string[]
}

/** Resident memory of the node: when a fifth of the inputs had come, at most after that, and at the end. */
interface ResidentBytes {
  warm: number
  most: number
  last: number
}

/** Share of the inputs after which memory is to stay as it is. */
const warmUp = 0.2
/** What a node may hold more at the end than when it was warm: garbage not yet collected. */
const growthBytesMax = 40 * 1024 * 1024
/** Datagrams sent for each that was to reach the node; when no more get through, there is no result. */
const attemptsMax = 3
/** Datagrams between two looks at the metrics, and between two lines of progress. */
const [roundDatagrams, linePerDatagrams] = [5_000, 100_000]
const bodiesAtOnce = 4
const answerTimeoutMs = 10_000
/** Peers tell how they stand once a second. */
const heardMsMax = 2_000
const faultsMax = 10

/** One node under fire. */
export class Storm {
  readonly #parts: StormParts
  readonly #faults: string[] = []
  readonly #resident: ResidentBytes = { warm: 0, most: 0, last: 0 }
  #sent = 0
  #reached = 0
  #bodiesBegun = 0
  #bodiesAnswered = 0

  constructor(parts: StormParts) {
    this.#parts = parts
  }

  async run(): Promise<WireFuzzReport> {
    const { node, inputs, socket } = this.#parts
    const startedMs = performance.now()
    const [before, root] = [await lookAt(node), await rootOf(node)]
    const load = startEvaluations([node], 'theirs-0')
    await Promise.all([this.#sendDatagrams(before), ...Array.from({ length: bodiesAtOnce }, () => this.#sendBodies())])
    await lookAt(node).then(
      (metrics) => this.#look(metrics),
      (error) => this.#fault(`the node is gone: ${error}`),
    )
    const { asked, failures } = await load.stop()
    for (const failure of failures) this.#fault(`an evaluation failed: ${failure}`)
    await this.#checkAfterwards(root)
    const after = await lookAt(node).catch(() => before)
    return {
      datagramsReached: this.#reached,
      datagramsSent: this.#sent,
      bodiesAnswered: this.#bodiesAnswered,
      made: inputs.made,
      drops: dropsBetween(before, after),
      probes: socket.probes,
      probesAnswered: socket.answers,
      evaluations: asked,
      residentBytes: this.#resident,
      seconds: (performance.now() - startedMs) / 1_000,
      faults: this.#faults,
    }
  }

  async #sendDatagrams(before: Metrics): Promise<void> {
    const { node, peer, socket, inputs, datagrams } = this.#parts
    const peerBefore = peer.mesh.counters().datagramsSent
    while (this.#reached < datagrams && this.#goesOn()) {
      if (this.#sent > attemptsMax * datagrams) return this.#fault('too many datagrams were lost on their way')
      const round = Math.min(roundDatagrams, datagrams - this.#reached)
      await socket.send(round, () => inputs.datagram())
      this.#sent += round
      const metrics = await lookAt(node).catch((error) => this.#fault(`the node is gone: ${error}`))
      if (metrics === undefined) return
      // Others send to the node as well: the probes, and its peer, of which some may have gone elsewhere.
      const others = socket.probes + peer.mesh.counters().datagramsSent - peerBefore
      this.#reached = between(before, metrics, 'flags_mesh_datagrams_received_total') - others
      this.#look(metrics)
    }
  }

  async #sendBodies(): Promise<void> {
    const { node, inputs, bodies } = this.#parts
    while (this.#bodiesBegun < bodies && this.#goesOn()) {
      this.#bodiesBegun++
      const headers = { 'content-type': 'application/octet-stream' }
      const signal = AbortSignal.timeout(answerTimeoutMs)
      try {
        const answer = await fetch(`${node.url}/mesh/bulk`, {
          method: 'POST',
          headers,
          body: Buffer.from(inputs.bulkBody()),
          signal,
        })
        await answer.arrayBuffer()
        if (answer.status !== 204 && answer.status !== 400) this.#fault(`a bulk body was answered ${answer.status}`)
        this.#bodiesAnswered++
      } catch (error) {
        this.#fault(`a bulk body was not answered: ${error}`)
      }
    }
  }

  #look(metrics: Metrics): void {
    const { datagrams, bodies, log } = this.#parts
    const bytes = metrics.get('process_resident_memory_bytes') ?? 0
    const resident = this.#resident
    const done = (this.#reached + this.#bodiesAnswered) / (datagrams + bodies)
    if (resident.warm === 0 && done >= warmUp) resident.warm = bytes
    if (resident.warm > 0) resident.most = Math.max(resident.most, bytes)
    resident.last = bytes
    if (Math.floor(this.#sent / linePerDatagrams) === Math.floor((this.#sent - roundDatagrams) / linePerDatagrams))
      return
    log(`${this.#reached} datagrams, ${this.#bodiesAnswered} bodies, ${megabytes(bytes)} MB`)
  }

  async #checkAfterwards(root: string): Promise<void> {
    const { node, peer } = this.#parts
    const { warm, last } = this.#resident
    if (last - warm > growthBytesMax) this.#fault(`memory grew from ${megabytes(warm)} to ${megabytes(last)} MB`)
    try {
      const after = await rootOf(node)
      if (after !== root) this.#fault(`the ruleset changed from ${root} to ${after}`)
      // Peers that the storm made up may have judged its clock; they are forgotten soon.
      await until('the node takes a write', async () =>
        (await ask(node, 'PUT', '/flags/after', { key: 'after' }))?.status === 201 ? true : null,
      )
      await agreement(node, peer)
      peer.write([{ key: 'flag|default|after|definition', value: null }])
      await agreement(node, peer)
      await until('the node hears its peer', async () => ((await silenceMs(node, peer)) < heardMsMax ? true : null))
    } catch (error) {
      this.#fault(`${error}`)
    }
  }

  #goesOn(): boolean {
    return this.#faults.length < faultsMax
  }

  #fault(what: string): undefined {
    if (this.#goesOn()) this.#faults.push(what)
  }
}

/** Since when the node has not heard its peer. */
async function silenceMs(node: NodeProcess, { mesh }: RawPeer): Promise<number> {
  const { members } = await meshOf(node)
  const { state, lastSeenMs } = members.find(({ address }) => address === mesh.address) ?? {
    state: '',
    lastSeenMs: null,
  }
  return state === 'alive' && lastSeenMs !== null ? lastSeenMs : Number.POSITIVE_INFINITY
}

function lookAt({ url }: NodeProcess): Promise<Metrics> {
  return metricsOf(url, AbortSignal.timeout(answerTimeoutMs))
}

function between(before: Metrics, after: Metrics, name: string): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0)
}

function dropsBetween(before: Metrics, after: Metrics): Record<string, number> {
  const names = [...after.keys()].filter((name) => name.includes('_dropped_'))
  return Object.fromEntries(
    names.map((name) => [name, between(before, after, name)]).filter(([, count]) => count !== 0),
  )
}

export function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}
