import { FlagsError } from '../../base/errors.ts'
import type { Catalog, NodeView } from '../../catalog/ports.ts'
import type { App } from '../types.ts'

/** `/health/live` (the process answers), `/health/ready` (it evaluates from a loaded ruleset), `/health` (and stores writes). */
export function healthRoutes(app: App, { catalog, node }: { catalog: Catalog; node: NodeView }): void {
  const config = { role: 'open' } as const

  function checkReady(): void {
    const reason = node.notReady()
    if (reason !== null) throw new FlagsError('NOT_READY', reason, { retryAfterSeconds: 1 })
  }

  app.get('/health/live', { config }, () => ({ status: 'ok' }))

  app.get('/health/ready', { config }, () => {
    checkReady()
    return { status: 'ok' }
  })

  app.get('/health', { config }, () => {
    checkReady()
    const failure = node.storageFailure()
    if (failure !== null) throw new FlagsError('STORAGE_UNAVAILABLE', failure, { retryAfterSeconds: 5 })
    return { status: 'ok', node: node.id, root: catalog.root() }
  })
}
