import type { Registry } from 'prom-client'
import type { NodeView } from '../../catalog/ports.ts'
import { refreshCounters } from '../metrics.ts'
import type { App } from '../types.ts'

/** `GET /metrics` for Prometheus. */
export function metricsRoutes(app: App, { registry, node }: { registry: Registry; node: NodeView }): void {
  app.get('/metrics', async (_request, reply) => {
    refreshCounters(registry, node.counters())
    return reply.header('content-type', registry.contentType).send(await registry.metrics())
  })
}
