import type { Logger } from 'pino'
import type { App } from './types.ts'

/**
 * Logs writes at `info` and, where the level asks for it, every other request at `debug`. Fastify's own log stays off: it
 * makes a logger a request, which costs more than an evaluation.
 */
export function logRequests(app: App, logger: Logger): void {
  const chatty = logger.isLevelEnabled('debug')
  app.addHook('onRoute', (route) => {
    const isWrite = route.config?.role === 'write' || route.config?.role === 'admin'
    if (!isWrite && !chatty) return
    route.onResponse = [route.onResponse ?? []].flat()
    route.onResponse.push((request, reply, done) => {
      const { method, id: reqId } = request
      const line = { reqId, method, url: request.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }
      if (isWrite) logger.info({ ...line, by: request.caller?.id ?? 'anonymous', from: request.ip }, 'write')
      else logger.debug(line, 'request')
      done()
    })
  })
}
