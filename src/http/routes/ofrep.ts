import { createHash } from 'node:crypto'
import cors from '@fastify/cors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Catalog } from '../../catalog/ports.ts'
import type { EvaluationContext } from '../../evaluation/model.ts'
import { canonicalJson } from '../canonical-json.ts'
import { type ErrorHandler, logServerError, problemHandler } from '../errors.ts'
import type { EvaluationMeter } from '../evaluation-meter.ts'
import type { Freshness } from '../freshness.ts'
import { ofrepContext, ofrepFailure, ofrepSuccess, staleReason } from '../ofrep-answers.ts'
import { toFlagsError } from '../problem.ts'
import { keyParams, type Scope } from '../schemas.ts'
import { timeSlice } from '../time-slice.ts'
import type { App } from '../types.ts'
import { etagOf, knows } from '../writing.ts'

export interface OfrepParts {
  readonly catalog: Catalog
  readonly meter: EvaluationMeter
  readonly freshness: Freshness
  readonly logger: Logger
  /** All peers are gone: what is answered may be out of date. */
  readonly isolated: () => boolean
}

const rateLimitHeaders = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset']

/** OpenFeature clients may put parameters of their own on the URL: unknown ones are theirs. */
const ofrepQuery = z.object({
  namespace: z.string().optional(),
  environment: z.string().optional(),
  flagConfigEtag: z.string().optional(),
})
type OfrepQuery = z.infer<typeof ofrepQuery>

/** Lets browsers from these origins evaluate. Encapsulated: the routes beside OFREP stay closed to other origins. */
export async function allowBrowsers(app: App, origins: readonly string[]): Promise<void> {
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['ETag', 'Retry-After', 'Flags-Version', 'Flags-Stale', ...rateLimitHeaders],
    maxAge: 600,
  })
}

/** The evaluation of the OpenFeature Remote Evaluation Protocol 0.3, one flag and all of them. */
export function ofrepRoutes(app: App, { catalog, meter, freshness, logger, isolated }: OfrepParts): void {
  const { ruleset } = catalog
  app.setErrorHandler(ofrepErrors(logger))

  app.post('/evaluate/flags/:key', { schema: { params: keyParams, querystring: ofrepQuery } }, (request, reply) => {
    const { key } = request.params
    const { namespace, environment } = scopeOf(request, request.query)
    reply.header('flags-version', catalog.root())
    const context = ofrepContext(request.body)
    const flag = ruleset.find(namespace, environment, key)
    if (!flag)
      return reply.code(404).send({ key, errorCode: 'FLAG_NOT_FOUND', errorDetails: `There is no flag "${key}".` })
    const evaluation = flag.evaluate(context, Date.now())
    meter.count(flag, evaluation.reason)
    const failure = ofrepFailure(flag, evaluation)
    return failure ? reply.code(400).send(failure) : sendJson(reply, ofrepSuccess(flag, evaluation, isolated()))
  })

  app.post('/evaluate/flags', { schema: { querystring: ofrepQuery } }, async (request, reply) => {
    const scope = scopeOf(request, request.query)
    const context = ofrepContext(request.body)
    if (request.query.flagConfigEtag !== undefined) await freshness.awaitRoot(unquoted(request.query.flagConfigEtag))
    const nowMs = Date.now()
    const root = catalog.root()
    const slice = timeSlice(ruleset, scope.namespace, scope.environment, nowMs)
    const stale = isolated()
    const etag = bulkEtag({ root, scope, context, slice, view: request.caller?.id ?? '', ...(stale && { stale }) })
    reply.header('flags-version', root).header('etag', etag)
    if (knows(request, etag)) return reply.code(304).send()
    return sendJson(reply, bulkAnswer(scope, context, { nowMs, root, stale }))
  })

  function bulkAnswer(
    { namespace, environment }: Scope,
    context: EvaluationContext,
    { nowMs, root, stale }: { readonly nowMs: number; readonly root: string; readonly stale: boolean },
  ): string {
    const items = ruleset.all(namespace, environment).map((flag) => {
      const evaluation = flag.evaluate(context, nowMs)
      meter.count(flag, evaluation.reason)
      const failure = ofrepFailure(flag, evaluation)
      return failure ? JSON.stringify(failure) : ofrepSuccess(flag, evaluation, stale)
    })
    const requestUri = `/ofrep/v1/stream?${new URLSearchParams({ namespace, environment })}`
    const eventStreams = JSON.stringify([{ type: 'sse', endpoint: { requestUri } }])
    const metadata = JSON.stringify({ version: root, ...(stale && { reason: staleReason }) })
    return `{"flags":[${items.join()}],"metadata":${metadata},"eventStreams":${eventStreams}}`
  }
}

function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(json)
}

/** From the query, else from the headers that OpenFeature providers can set. */
function scopeOf(request: FastifyRequest, query: OfrepQuery): Scope {
  return {
    namespace: query.namespace ?? header(request, 'flags-namespace') ?? 'default',
    environment: query.environment ?? header(request, 'flags-environment') ?? 'default',
  }
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** Everything that the answer depends on; so it is the same on every node, and found before anything is evaluated. */
interface BulkInput {
  readonly root: string
  readonly scope: Scope
  readonly context: EvaluationContext
  /** The stretch of time in which no schedule moves. */
  readonly slice: string
  /** There only on a node that is cut off: it says so in the body. */
  readonly stale?: true
  /** Whose eyes: what the API key may see. */
  readonly view: string
}

function bulkEtag(input: BulkInput): string {
  return etagOf(createHash('sha256').update(canonicalJson(input)).digest('base64url').slice(0, 22))
}

/** A root as clients give it back: as the event had it, or in the quotes of an entity tag. */
function unquoted(etag: string): string {
  return etag.replace(/^(?:W\/)?"(.*)"$/, '$1')
}

/**
 * Answers errors as OFREP has them: 400 and 500 carry `key` (the flag's, '' for all of them) and `errorCode`. What the protocol
 * leaves to HTTP (401, 403, 429 …) is a problem like everywhere else.
 */
function ofrepErrors(logger: Logger): ErrorHandler {
  const answerProblem = problemHandler(logger)
  return (error, request, reply) => {
    const known = toFlagsError(error)
    const errorCode = {
      MALFORMED: 'PARSE_ERROR',
      INVALID: 'INVALID_CONTEXT',
      LIMIT_EXCEEDED: 'INVALID_CONTEXT',
      INTERNAL: 'GENERAL',
    }[known.code as string]
    if (errorCode === undefined) {
      answerProblem(error, request, reply)
      return
    }
    logServerError(logger, error, known, request)
    const { key = '' } = request.params as { key?: string }
    reply.code(errorCode === 'GENERAL' ? 500 : 400).send({ key, errorCode, errorDetails: known.message })
  }
}
