import { FlagsError } from '../../base/errors.ts'
import type { Catalog, NodeView } from '../../catalog/ports.ts'
import type { App } from '../types.ts'

/** `/health/live` (the process answers), `/health/ready` (it evaluates from a loaded ruleset), `/health` (and stores writes). */
export function healthRoutes(app: App, { catalog, node }: { catalog: Catalog; node: NodeView }): void {
  function checkReady(): void {
    const reason = node.notReady()
    if (reason !== null) throw new FlagsError('NOT_READY', reason, { retryAfterSeconds: 1 })
  }

  app.get('/health/live', () => ({ status: 'ok' }))

  app.get('/health/ready', () => {
    checkReady()
    return { status: 'ok' }
  })

  app.get('/health', () => {
    checkReady()
    const failure = node.storageFailure()
    if (failure !== null) throw new FlagsError('STORAGE_UNAVAILABLE', failure, { retryAfterSeconds: 5 })
    return { status: 'ok', node: node.id, root: catalog.root() }
  })
}
