import type { HTTPMethods } from 'fastify'
import type { z } from 'zod'
import { accessOf } from '../access/table.ts'
import type { App } from '../types.ts'

/** A route of the API with the schemas that validate its requests. */
export interface CollectedRoute {
  readonly method: HTTPMethods
  /** Without the prefix. */
  readonly url: string
  readonly schema: { readonly body?: z.ZodType; readonly querystring?: z.ZodType; readonly params?: z.ZodType }
}

const prefix = '/api/v1'

/** Notes every route that is registered from now on under the prefix; the same ones without it need no description of their own. */
export function collectRoutes(app: App): readonly CollectedRoute[] {
  const routes: CollectedRoute[] = []
  app.addHook('onRoute', ({ method, url, schema = {} }) => {
    if (Array.isArray(method) || method === 'HEAD' || !url.startsWith(prefix)) return
    if (!accessOf(method, url)) return
    routes.push({ method, url: url.slice(prefix.length), schema: schema as CollectedRoute['schema'] })
  })
  return routes
}
