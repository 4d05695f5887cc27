import { percentile, tenth } from '../../bench/support/report.ts'
import type { Casualties } from './casualties.ts'

interface Spread {
  readonly p50: number
  readonly max: number
}

/** One row of the blast-radius table: all strikes of one kind. */
export interface Row {
  readonly fault: string
  readonly strikes: number
  readonly evaluations: number
  readonly failed: number
  readonly older: number
  readonly behindMsMax: number
  readonly slowestMs: number
  /** Nodes that failed or answered from an older ruleset, in the worst strike. */
  readonly nodesAffectedMax: number
  readonly rootsEqualMs: Spread | null
  /** How much of that the start of processes took; null when none was started. */
  readonly startingMs: Spread | null
  /** Strikes after which the nodes did not agree again. */
  readonly neverEqual: number
  readonly acknowledged: number
  readonly lost: number
  readonly declaredDead: number
}

export function rowOf(fault: string, strikes: readonly Casualties[]): Row {
  const sum = (pick: (one: Casualties) => number) => strikes.reduce((total, one) => total + pick(one), 0)
  const most = (pick: (one: Casualties) => number) => Math.max(0, ...strikes.map(pick))
  const equal = strikes.map(({ rootsEqualMs }) => rootsEqualMs).filter((ms) => ms !== null)
  const starting = strikes.map(({ startingMs }) => startingMs).filter((ms) => ms > 0)
  return {
    fault,
    strikes: strikes.length,
    evaluations: sum(({ evaluations }) => evaluations),
    failed: sum(({ failures }) => failures.length),
    older: sum(({ older }) => older),
    behindMsMax: Math.round(most(({ behindMsMax }) => behindMsMax)),
    slowestMs: Math.round(most(({ slowestMs }) => slowestMs)),
    nodesAffectedMax: most(({ affected }) => affected.size),
    rootsEqualMs: spreadOf(equal),
    startingMs: spreadOf(starting),
    neverEqual: strikes.length - equal.length,
    acknowledged: sum(({ acknowledged }) => acknowledged),
    lost: sum(({ lost }) => lost.length),
    declaredDead: sum(({ declaredDead }) => declaredDead),
  }
}

function spreadOf(values: readonly number[]): Spread | null {
  return values.length === 0 ? null : { p50: tenth(percentile(values, 50)), max: tenth(Math.max(...values)) }
}

const head = [
  'fault',
  'strikes',
  'evaluations',
  'failed',
  'slowest',
  'from an older ruleset',
  'behind by at most',
  'nodes affected',
  'roots equal after, p50 / max',
  'of that, starting',
  'writes acknowledged',
  'lost',
  'live nodes declared dead',
]

/** The table as markdown; faults that could not be tried say so. */
export function blastRadius(rows: readonly Row[], skipped: readonly string[]): string {
  const lines = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows.map(cells)]
  const missing = skipped.map((fault) => [fault, 'skipped: needs root and nftables', ...head.slice(2).map(() => '')])
  return [...lines, ...missing].map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function cells(row: Row): string[] {
  const equal = spreadText(row.rootsEqualMs)
  return [
    row.fault,
    count(row.strikes),
    count(row.evaluations),
    count(row.failed),
    `${row.slowestMs} ms`,
    count(row.older),
    row.older === 0 ? '' : seconds(row.behindMsMax),
    count(row.nodesAffectedMax),
    row.neverEqual === 0 ? equal : `${equal} (${row.neverEqual} never)`,
    spreadText(row.startingMs),
    count(row.acknowledged),
    count(row.lost),
    count(row.declaredDead),
  ]
}

function spreadText(spread: Spread | null): string {
  return spread === null ? '' : `${seconds(spread.p50)} / ${seconds(spread.max)}`
}

function count(value: number): string {
  return value.toLocaleString('en')
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`
}
