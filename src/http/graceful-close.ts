import type { App } from './types.ts'

/** Milliseconds between looks for connections that have nothing more to do. */
const sweepMs = 50

/**
 * Closing ends what lasts (`stopStreams`), finishes the requests in flight, and then their connections: clients keep those open
 * for their next request, and the server would wait for them until they idle out.
 */
export function closeGracefully(app: App, stopStreams: () => void): void {
  app.addHook('preClose', (done) => {
    stopStreams()
    if (app.server.listening) {
      const sweep = setInterval(() => app.server.closeIdleConnections(), sweepMs)
      app.server.once('close', () => clearInterval(sweep))
    }
    done()
  })
}
