import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FlagdCore } from '@openfeature/flagd-core'
import unleashClient from 'unleash-client/lib/client.js'
import type { FeatureInterface } from 'unleash-client/lib/feature.js'
import type { RepositoryInterface } from 'unleash-client/lib/repository/index.js'
import { defaultStrategies } from 'unleash-client/lib/strategy/index.js'
import type { Segment } from 'unleash-client/lib/strategy/strategy.js'
import { parseFlag, parseSegment } from '../src/evaluation/parse.ts'
import { splitFlag, splitSegment } from '../src/evaluation/registers.ts'
import { createRuleset, type RegisterValue, type Ruleset } from '../src/evaluation/ruleset.ts'
import { bulk, type Case, cases, oneKilobyteFlag } from './evaluation-rules.ts'

/**
 * Nanoseconds of processor time that an evaluation takes, beside @openfeature/flagd-core and unleash-client's evaluator on the same rules, in one process, in
 * turn; and what 10,000 flags of 1 KB take to load and to hold. `node bench/evaluation.ts`
 */

const rounds = 7
const roundMs = 120
const nowMs = Date.UTC(2026, 0, 1)
const at = { birth: '', ended: '' }

type Work = () => unknown

function rulesetOf(flags: readonly object[], segments: readonly object[] = []): Ruleset {
  const writes = [
    ...flags.flatMap((flag) => splitFlag(parseFlag('default', flag), at)),
    ...segments.flatMap((segment) => splitSegment(parseSegment('default', segment), at)),
  ]
  const ruleset = createRuleset()
  ruleset.apply(writes.map((write): RegisterValue => ({ ...write, stamp: '019b76daa80100000000000000000001' })))
  return ruleset
}

function flagdOf(flags: Record<string, object>): FlagdCore {
  const core = new FlagdCore()
  core.setConfigurations(JSON.stringify({ flags }))
  return core
}

// The package is CommonJS: its default export is a property.
const Unleash = unleashClient.default

function unleashOf({ feature, segments }: Case['unleash']) {
  const features = new Map([[(feature as FeatureInterface).name, feature as FeatureInterface]])
  const byId = new Map(segments.map((segment) => [segment.id, segment as unknown as Segment]))
  const repository = { getToggle: (name: string) => features.get(name), getSegment: (id: number) => byId.get(id) }
  return new Unleash(repository as unknown as RepositoryInterface, defaultStrategies)
}

/** One evaluation in each engine; each must have the answer that the case asks for. */
function engines({ flag, segments, flagd, unleash, context, on }: Case): Record<string, Work> {
  const { key } = flag
  const ruleset = rulesetOf([flag], segments)
  const core = flagdOf({ [key]: flagd })
  const client = unleashOf(unleash)
  const { targetingKey, ...properties } = context
  const texts = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, String(value)]))
  const unleashContext = { userId: targetingKey, properties: texts }
  const work: Record<string, Work> = {
    flags: () => ruleset.find('default', 'default', key)?.evaluate(context, nowMs).value,
    'flagd-core': () => core.resolveBooleanEvaluation(key, !on, context).value,
    'unleash-client': () => client.isEnabled(key, unleashContext, () => !on),
  }
  for (const [engine, evaluate] of Object.entries(work)) {
    if (evaluate() !== on) throw new Error(`${engine} does not answer ${on} to "${key}"`)
  }
  return work
}

function bulkEngines(): Record<string, Work> {
  const context = { targetingKey: 'user-1', country: 'DE' }
  const ruleset = rulesetOf(bulk.map(({ flag }) => flag))
  const core = flagdOf(Object.fromEntries(bulk.map(({ flag, flagd }) => [flag.key, flagd])))
  return {
    flags: () => ruleset.all('default', 'default').map((flag) => flag.evaluate(context, nowMs)),
    'flagd-core': () => core.resolveAll(context),
  }
}

/** The median over rounds in turn, so that a slow moment of the machine falls on all. */
function measure(work: Record<string, Work>): Record<string, number> {
  const measured = Object.keys(work).map((name): [string, number[]] => [name, []])
  for (let round = 0; round <= rounds; round++) {
    for (const [name, ns] of measured) ns.push(nsPerCall(work[name] as Work))
  }
  // The first round warms up.
  return Object.fromEntries(measured.map(([name, ns]) => [name, median(ns.slice(1))]))
}

/** Processor time of this thread in milliseconds: what others do on the machine does not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

function nsPerCall(evaluate: Work): number {
  const started = cpuMs()
  let calls = 0
  let elapsedMs = 0
  for (let batch = 1; elapsedMs < roundMs; batch *= 2) {
    for (let i = 0; i < batch; i++) evaluate()
    calls += batch
    elapsedMs = cpuMs() - started
  }
  return (elapsedMs / calls) * 1e6
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
}

function heapBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** What 10,000 flags of 1 KB cost: to load from their registers, to hold, and to compile for one environment. */
function measureLoad() {
  const flags = Array.from({ length: 10_000 }, (_, i) => parseFlag('default', oneKilobyteFlag(i)))
  const jsonBytes = JSON.stringify(flags[0]).length
  const registers = flags
    .flatMap((flag) => splitFlag(flag, at))
    .map((write) => ({ ...write, stamp: '019b76daa80100000000000000000001' }))
  flags.length = 0
  const before = heapBytes()
  const loading = cpuMs()
  const ruleset = createRuleset()
  ruleset.apply(registers)
  const loadMs = cpuMs() - loading
  const held = heapBytes()
  const compiling = cpuMs()
  const compiled = ruleset.all('default', 'production').length
  const compileMs = cpuMs() - compiling
  const after = heapBytes()
  const mb = (bytes: number) => Math.round(bytes / 1e5) / 10
  return {
    flags: compiled,
    jsonBytes,
    loadMs: Math.round(loadMs),
    compileMs: Math.round(compileMs),
    heldMb: mb(held - before),
    compiledMb: mb(after - held),
  }
}

const load = measureLoad()
const table: Record<string, Record<string, number>> = {}
for (const one of cases) table[one.name] = measure(engines(one))
table['bulk over 1,000 flags'] = measure(bulkEngines())

const rounded = Object.fromEntries(
  Object.entries(table).map(([name, ns]) => [
    name,
    Object.fromEntries(Object.entries(ns).map(([engine, value]) => [engine, Math.round(value)])),
  ]),
)
const load1 = loadavg()[0]?.toFixed(1)
const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, load average ${load1}`
console.table(rounded)
console.log(`nanoseconds of processor time, medians of ${rounds} rounds of ${roundMs} ms in turn, ${machine}`)
console.log('10,000 flags of 1 KB:', load)
const folder = new URL('results/', import.meta.url)
mkdirSync(folder, { recursive: true })
writeFileSync(
  new URL('evaluation.json', folder),
  `${JSON.stringify({ nanoseconds: rounded, load, machine }, null, 2)}\n`,
)
