import type { HTTPMethods } from 'fastify'
import { FlagsError } from '../base/errors.ts'
import { open } from './access/table.ts'
import type { App } from './types.ts'

const guarded: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * Notes every route as it is registered, and returns the function that, called after the last of them, gives each path the
 * methods that it lacks: they answer 405 and name in `Allow` what the path takes.
 */
export function guardMethods(app: App): () => void {
  const taken = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    if (method === 'OPTIONS') return
    const methods = taken.get(url) ?? new Set()
    for (const one of [method].flat()) methods.add(one)
    taken.set(url, methods)
  })
  return () => {
    for (const [url, methods] of [...taken]) {
      const missing = guarded.filter((method) => !methods.has(method))
      if (missing.length === 0) continue
      const allow = [...methods].sort().join(', ')
      app.route({
        method: missing,
        url,
        schema: { hide: true },
        config: { access: open },
        onRequest: (_request, reply, done) => {
          reply.header('allow', allow)
          done(new FlagsError('METHOD_NOT_ALLOWED', `This path takes ${allow}.`))
        },
        handler: (_request, reply) => reply,
      })
    }
  }
}
