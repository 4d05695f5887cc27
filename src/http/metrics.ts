import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Catalog, NodeView } from '../catalog/ports.ts'
import type { EvaluationMeter } from './evaluation-meter.ts'
import type { EventStreams } from './sse.ts'
import type { App } from './types.ts'

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
    ['flags_mesh_isolated', '1 when all peers are gone and not all said goodbye', () => Number(node.isolated())],
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
  const convergence = new Histogram({
    name: 'flags_convergence_seconds',
    help: 'Time from a write at a peer until it is visible here, by the clocks of both',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
    registers: [registry],
  })
  node.onArrival((tookMs) => convergence.observe(tookMs / 1_000))
  new Gauge({
    name: 'flags_ruleset_info',
    help: 'The version of the ruleset: equal on all converged nodes',
    labelNames: ['root'],
    registers: [registry],
    collect() {
      this.reset()
      this.set({ root: catalog.root() }, 1)
    },
  })
  new Counter({
    name: 'flags_evaluations_total',
    help: 'Evaluations by reason',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(meter.totals())) this.inc({ reason }, count)
    },
  })
  new Counter({
    name: 'flags_flag_evaluations_total',
    help: 'Evaluations by flag and reason; those of flags beyond the limit of series have no names',
    labelNames: ['namespace', 'flag', 'reason'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { namespace, key: flag, reason, count } of meter.byFlag()) this.inc({ namespace, flag, reason }, count)
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

/** A hot request of so many is timed, and counts for all of them. */
const timedEvery = 16

/**
 * Counts the requests on hot routes, and sums the time that their handlers take: two numbers, where a histogram would cost more than
 * it measures. What a client waits for beyond that is in the event loop's delay.
 */
export function meterHotRoutes(app: App, registry: Registry): void {
  let [requests, seconds] = [0, 0]
  app.addHook('onRoute', (route) => {
    if (!route.config?.hot) return
    const { handler } = route
    route.handler = function (request, reply) {
      if (++requests % timedEvery !== 0) return handler.call(this, request, reply)
      const startedMs = performance.now()
      try {
        return handler.call(this, request, reply)
      } finally {
        seconds += (timedEvery * (performance.now() - startedMs)) / 1_000
      }
    }
  })
  const counters = [
    ['flags_http_hot_requests_total', 'Requests for GET /flags/:key/evaluate', () => requests],
    ['flags_http_hot_request_seconds_total', 'Time that their handlers took, by every sixteenth', () => seconds],
  ] as const
  for (const [name, help, read] of counters) {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        counter.reset()
        counter.inc(read())
      },
    })
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
