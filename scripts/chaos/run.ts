import { setTimeout as delay } from 'node:timers/promises'
import { sample, seededRandom } from '../../src/base/random.ts'
import { ask, convergence } from '../../test/e2e/harness/api.ts'
import { VirtualNetwork } from '../../test/e2e/harness/virtual-network.ts'
import { Arena, type Life } from './arena.ts'
import type { ChaosOptions } from './arguments.ts'
import { Casualties } from './casualties.ts'
import { declaredDead } from './deaths.ts'
import { Evaluators } from './evaluators.ts'
import type { Fault } from './faults.ts'
import { Ledger } from './ledger.ts'
import { type Row, rowOf } from './table.ts'
import { Writers } from './writers.ts'

export interface ChaosReport {
  readonly rows: readonly Row[]
  /** Names of the faults that this machine does not let us try. */
  readonly skipped: readonly string[]
  /** Each thing that must not happen and did, as a sentence. */
  readonly broken: readonly string[]
}

/** The nodes under load with no fault, before the first strike: what the others are to be compared with. */
const calm = 'none'
const calmMs = 5_000
/** Between two strikes, so that the damage of one does not count as that of the next. */
const breathMs = 1_500
const agreementDeadlineMs = 60_000

/** Runs the whole command's work. Rejects when the mesh cannot be started. `say` takes a line of progress. */
export async function runChaos(
  options: ChaosOptions,
  wired: boolean,
  say: (line: string) => void,
): Promise<ChaosReport> {
  const arena = new Arena(options.nodes, wired ? VirtualNetwork.create(options.nodes) : null)
  process.once('exit', () => arena.close())
  await Promise.all(arena.nodes.map((node) => arena.start(node)))
  await convergence(processes(arena))
  say(`${options.nodes} nodes agree`)
  const run = new Run(arena, options, say)
  await run.start()
  const tried = options.faults.filter(({ needsNetwork }) => wired || !needsNetwork)
  const skipped = options.faults.filter((fault) => !tried.includes(fault)).map(({ name }) => name)
  const broken = await run.strikeAll(tried)
  return { rows: run.rows([calm, ...tried.map(({ name }) => name)]), skipped, broken }
}

class Run {
  readonly #arena: Arena
  readonly #options: ChaosOptions
  readonly #say: (line: string) => void
  readonly #ledger = new Ledger()
  readonly #writers: Writers
  readonly #evaluators: Evaluators
  readonly #all: Casualties[] = []
  readonly #broken: string[] = []
  #current = new Casualties(calm, Date.now())

  constructor(arena: Arena, options: ChaosOptions, say: (line: string) => void) {
    this.#arena = arena
    this.#options = options
    this.#say = say
    this.#writers = new Writers(arena, this.#ledger, seededRandom(options.seed + 1))
    this.#evaluators = new Evaluators(arena, this.#ledger, seededRandom(options.seed + 2), () => this.#current)
  }

  /** Brings the load up, and watches it for a while without any fault. */
  async start(): Promise<void> {
    await this.#writers.start()
    await convergence(processes(this.#arena))
    this.#evaluators.start()
    await this.#under(calm, async () => {
      await delay(calmMs)
      return { what: `${calmMs / 1_000} s`, endedMs: performance.now(), startingMs: 0 }
    })
  }

  /** Round after round of all kinds in random order, until the time is up; at least one. Gives what broke. */
  async strikeAll(faults: readonly Fault[]): Promise<readonly string[]> {
    const random = seededRandom(this.#options.seed)
    const endMs = performance.now() + this.#options.minutes * 60_000
    for (let round = 0; faults.length > 0 && (round === 0 || performance.now() < endMs); round++) {
      for (const fault of sample(random, faults, faults.length)) {
        if (round > 0 && performance.now() >= endMs) break
        await this.#under(fault.name, () => fault.strike(this.#arena, random))
        if (this.#current.rootsEqualMs === null) return this.#finish()
      }
    }
    return this.#finish()
  }

  rows(faults: readonly string[]): readonly Row[] {
    return faults.map((name) =>
      rowOf(
        name,
        this.#all.filter(({ fault }) => fault === name),
      ),
    )
  }

  async #under(name: string, strike: () => ReturnType<Fault['strike']>): Promise<void> {
    const casualties = new Casualties(name, Date.now())
    this.#current = casualties
    this.#all.push(casualties)
    const before = this.#ledger.acknowledged
    try {
      const { what, endedMs, startingMs } = await strike()
      casualties.startingMs = startingMs
      await this.#agree(casualties, endedMs)
      casualties.lost = await this.#lostAt(this.#arena.nodes[0] as number)
      this.#writers.resume()
      await delay(breathMs)
      casualties.acknowledged = this.#ledger.acknowledged - before
      this.#tell(casualties, what)
    } catch (error) {
      this.#broken.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      this.#say(this.#broken.at(-1) as string)
    }
  }

  /** Two nodes can be compared only while nothing changes: writes rest until all roots are equal. */
  async #agree(casualties: Casualties, endedMs: number): Promise<void> {
    await this.#writers.rest()
    const restedMs = performance.now()
    while (!this.#evaluators.agreeSince(restedMs)) {
      if (performance.now() - restedMs > agreementDeadlineMs) throw new Error('the nodes did not agree again')
      await delay(5)
    }
    casualties.rootsEqualMs = performance.now() - endedMs
  }

  async #lostAt(node: number): Promise<readonly string[]> {
    const life = this.#arena.serving(node) as Life
    const answer = await ask(life.process, 'GET', '/export')
    if (answer?.status !== 200) throw new Error(`node ${node} does not export`)
    const flags = answer.body.flags as { key: string; variations: Record<string, unknown> }[]
    return this.#ledger.newlyLost(new Map(flags.map(({ key, variations }) => [key, variations.now])))
  }

  async #finish(): Promise<readonly string[]> {
    await this.#writers.rest()
    this.#writers.stop()
    this.#evaluators.stop()
    for (const node of this.#arena.nodes) {
      if (this.#arena.serving(node) === null) continue
      const lost = await this.#lostAt(node)
      if (lost.length > 0) this.#broken.push(`node ${node} lacks at the end: ${lost.slice(0, 5).join(', ')}`)
    }
    for (const { by, of, atWallMs } of declaredDead(this.#arena.lives, this.#arena.cuts)) {
      const during = this.#all.findLast(({ fromWallMs }) => fromWallMs <= atWallMs)
      if (during === undefined) continue
      during.declaredDead++
      const afterS = ((atWallMs - during.fromWallMs) / 1_000).toFixed(1)
      this.#say(`${during.fault}: node ${by} declared node ${of} dead, ${afterS} s after the strike began`)
    }
    for (const { fault, failures, lost } of this.#all) {
      for (const failure of failures.slice(0, 5)) this.#broken.push(`${fault}: an evaluation failed at ${failure}`)
      if (lost.length > 0)
        this.#broken.push(`${fault}: lost ${lost.length} acknowledged writes: ${lost.slice(0, 5).join(', ')}`)
    }
    return this.#broken
  }

  #tell({ fault, evaluations, failures, older, behindMsMax, rootsEqualMs, lost }: Casualties, what: string): void {
    this.#say(
      `${fault}: ${what}; ${evaluations} evaluations, ${failures.length} failed, ${older} from an older ruleset ` +
        `(behind by at most ${Math.round(behindMsMax)} ms); roots equal after ${Math.round(rootsEqualMs ?? 0)} ms; ${lost.length} writes lost`,
    )
  }
}

function processes(arena: Arena) {
  return arena.nodes.flatMap((node) => arena.serving(node)?.process ?? [])
}
