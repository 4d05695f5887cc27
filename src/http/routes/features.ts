import { z } from 'zod'
import type { Catalog } from '../../catalog/ports.ts'
import type { EvaluationContext } from '../../evaluation/model.ts'
import { environment, namespace } from '../schemas.ts'
import type { App } from '../types.ts'

const featuresQuery = z.strictObject({
  namespace,
  environment,
  version: z.string().optional(),
  group: z.string().optional(),
  user: z.string().optional().describe('The targeting key'),
})

/** `GET /features`: the keys of the boolean flags that are on for this context, sorted. */
export function featureRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  app.get('/features', { schema: { querystring: featuresQuery } }, (request, reply) => {
    const { namespace, environment, user, ...attributes } = request.query
    const context: EvaluationContext = user === undefined ? attributes : { ...attributes, targetingKey: user }
    const nowMs = Date.now()
    const features = catalog.ruleset
      .all(namespace, environment)
      .filter((flag) => flag.type === 'boolean' && flag.evaluate(context, nowMs).value === true)
      .map((flag) => flag.key)
    reply.header('flags-version', catalog.root()).send({ features })
  })
}
