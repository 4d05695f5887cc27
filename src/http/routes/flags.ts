import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { FlagsError } from '../../base/errors.ts'
import type { Catalog, WriteOptions, Written } from '../../catalog/ports.ts'
import type { Flag } from '../../evaluation/model.ts'
import { visibleTo } from '../access/visible.ts'
import { type FlagInEnvironment, inEnvironment } from '../environment-view.ts'
import { type RolloutWish, rolloutPatch } from '../rollout-patch.ts'
import { environment, key, keyParams, namespace, pageFields, reason, writeQuery } from '../schemas.ts'
import type { App } from '../types.ts'
import { answerRead, answerWritten, writeOptions } from '../writing.ts'
import { shelfWriteRoutes } from './shelf-writes.ts'

const shownAs = key.optional().describe('Show flags as this environment has them')
const listQuery = z.strictObject({ namespace, environment: shownAs, tag: z.string().optional(), ...pageFields })
const readQuery = z.strictObject({ namespace, environment: shownAs })
const rolloutBody = z.strictObject({
  percentage: z.number().meta({ minimum: 0, maximum: 100, description: 'In steps of 0.01' }),
  variation: z.string().optional(),
  environment,
  reason,
})

/** `/flags`: list, read, create, replace, change, delete, roll out. */
export function flagRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  app.get('/flags', { schema: { querystring: listQuery } }, async (request) => {
    const { namespace, environment, ...query } = request.query
    const { items, nextCursor } = catalog.flags.list(namespace, query)
    return {
      flags: items.map((flag) => shown(request, flag, environment)),
      nextCursor,
    }
  })

  app.get('/flags/:key', { schema: { params: keyParams, querystring: readQuery } }, async (request, reply) => {
    const { namespace, environment } = request.query
    const flag = existing(catalog, namespace, request.params.key)
    return answerRead(request, reply, shown(request, flag, environment))
  })

  shelfWriteRoutes(app, '/flags', catalog.flags)

  const rollout = {
    schema: { params: keyParams, querystring: writeQuery, body: rolloutBody },
  }

  app.post('/flags/:key/rollout', rollout, async (request, reply) => {
    const { reason, ...wish } = request.body
    const options = writeOptions(request, request.query, reason)
    return answerWritten(reply, await rollOut(catalog, request.query.namespace, request.params.key, wish, options))
  })
}

/** A flag whole, or as one environment has it; in either case no more than the caller may see. */
function shown(request: FastifyRequest, flag: Flag, environment: string | undefined): Flag | FlagInEnvironment {
  return environment === undefined ? visibleTo(request, flag) : inEnvironment(flag, environment)
}

function existing(catalog: Catalog, namespace: string, key: string): Flag {
  const flag = catalog.flags.get(namespace, key)
  if (!flag) throw new FlagsError('FLAG_NOT_FOUND', `There is no flag "${key}".`)
  return flag
}

/** Attempts when others change the flag between reading it and writing the patch that was made from it. */
const rolloutAttemptsMax = 5

async function rollOut(
  catalog: Catalog,
  namespace: string,
  key: string,
  wish: RolloutWish,
  options: WriteOptions,
): Promise<Written<Flag>> {
  for (let attempt = 1; ; attempt++) {
    const flag = existing(catalog, namespace, key)
    try {
      const ifMatch = options.ifMatch ?? flag.version
      return await catalog.flags.patch(namespace, key, rolloutPatch(flag, wish), { ...options, ifMatch })
    } catch (error) {
      const outdated = error instanceof FlagsError && error.code === 'VERSION_MISMATCH' && options.ifMatch === undefined
      if (!outdated || attempt === rolloutAttemptsMax) throw error
    }
  }
}
