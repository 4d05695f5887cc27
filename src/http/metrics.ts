import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Catalog, NodeView } from '../catalog/ports.ts'
import type { EventStreams } from './sse.ts'
import type { App } from './types.ts'

/** Counts evaluations by reason: a plain number each, because the hot path has no time for labels. */
export interface EvaluationMeter {
  count(reason: string): void
  counts(): ReadonlyMap<string, number>
}

export function createEvaluationMeter(): EvaluationMeter {
  const cells = new Map<string, { count: number }>()
  return {
    count(reason) {
      const cell = cells.get(reason)
      if (cell) cell.count++
      else cells.set(reason, { count: 1 })
    },
    counts: () => new Map([...cells].map(([reason, { count }]) => [reason, count])),
  }
}

export interface MetricsParts {
  readonly catalog: Catalog
  readonly node: NodeView
  readonly meter: EvaluationMeter
  readonly streams: Pick<EventStreams, 'count'>
}

/** What `GET /metrics` tells. Everything that somebody else counts already is read when it is asked for. */
export function createRegistry({ catalog, node, meter, streams }: MetricsParts): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 })

  const size = () => catalog.ruleset.size()
  const gauges: readonly [name: string, help: string, read: () => number][] = [
    ['flags_ruleset_flags', 'Flags in memory', () => size().flags],
    ['flags_ruleset_segments', 'Segments in memory', () => size().segments],
    ['flags_ruleset_faults', 'Flags that make no sense as merged', () => size().faults],
    ['flags_ruleset_tombstones', 'Deleted registers that are still remembered', () => node.tombstones()],
    [
      'flags_conflicts',
      'Writes since the start that lost to one whose author had not seen them',
      () => node.conflicts(),
    ],
    ['flags_streams', 'Event streams that are open', () => streams.count],
    ['flags_node_ready', '1 when the node answers from a loaded ruleset', () => Number(node.notReady() === null)],
    ['flags_storage_failing', '1 when writes cannot be stored', () => Number(node.storageFailure() !== null)],
  ]
  for (const [name, help, read] of gauges) {
    const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(read()) })
  }
  new Gauge({
    name: 'flags_mesh_members',
    help: 'Members of the mesh by state',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.reset()
      for (const state of ['alive', 'suspect', 'dead', 'left']) this.set({ state }, 0)
      for (const member of node.members()) this.inc({ state: member.state })
    },
  })
  new Counter({
    name: 'flags_evaluations_total',
    help: 'Evaluations by reason',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [reason, count] of meter.counts()) this.inc({ reason }, count)
    },
  })
  return registry
}

/** Brings the node's own counters up to date: they are known by name only when they first appear. */
export function refreshCounters(registry: Registry, counters: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counters)) {
    const fullName = `flags_${name.replace(/[^A-Za-z0-9_]/g, '_')}`
    const held = registry.getSingleMetric(fullName)
    const counter =
      held instanceof Counter
        ? held
        : new Counter({ name: fullName, help: name.replaceAll('_', ' '), registers: [registry] })
    counter.reset()
    counter.inc(value)
  }
}

/** Times every request but those on hot routes, by route pattern, never by path: what callers make up costs no memory. */
export function timeRequests(app: App, registry: Registry): void {
  const histogram = new Histogram({
    name: 'flags_http_request_seconds',
    help: 'Time to answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5],
    registers: [registry],
  })
  app.addHook('onRoute', (route) => {
    if (route.config?.hot) return
    route.onResponse = [route.onResponse ?? []].flat()
    route.onResponse.push((request, reply, done) => {
      const route = request.routeOptions.url?.replace(/^\/api\/v1(?=\/)/, '')
      const labels = { method: request.method, route, status: reply.statusCode }
      histogram.observe(labels, reply.elapsedTime / 1_000)
      done()
    })
  })
}
