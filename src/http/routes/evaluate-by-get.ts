import type { FastifyReply, FastifyRequest } from 'fastify'
import { FlagsError } from '../../base/errors.ts'
import { jsonDepthMax } from '../../base/limits.ts'
import type { Catalog } from '../../catalog/ports.ts'
import type { Evaluation, Json } from '../../evaluation/model.ts'
import type { CompiledFlag } from '../../evaluation/ruleset.ts'
import { findIllFormed } from '../../evaluation/well-formed.ts'
import { contextFromQuery, type Query, single } from '../context.ts'
import type { EvaluationMeter } from '../evaluation-meter.ts'
import { type Freshness, freshen } from '../freshness.ts'
import { isoTime } from '../iso-time.ts'
import { Snippets } from '../snippets.ts'
import type { App } from '../types.ts'

interface EvaluateByGetParts {
  readonly catalog: Catalog
  readonly meter: EvaluationMeter
  readonly freshness: Freshness
  readonly isolated: () => boolean
}

interface EvaluateByGet {
  Params: { key: string }
  Querystring: Query
}

/**
 * `GET /flags/:key/evaluate`: the hot path. No schema, hook, log or promise; the answer is put together from parts that were
 * serialized when they were first asked for.
 */
export function evaluateByGetRoute(app: App, { catalog, meter, freshness, isolated }: EvaluateByGetParts): void {
  const snippets = new Snippets(head)

  function answer(request: FastifyRequest<EvaluateByGet>, reply: FastifyReply): FastifyReply {
    const { key } = request.params
    const query = request.query
    const namespace = single(query, 'namespace') ?? 'default'
    const environment = single(query, 'environment') ?? 'default'
    const context = contextFromQuery(query)
    reply.header('flags-version', catalog.root())
    if (isolated()) reply.header('flags-stale', 'true')
    const nowMs = Date.now()
    const flag = catalog.ruleset.find(namespace, environment, key)
    if (!flag) return answerUnknown(reply, key, query, context.targetingKey, nowMs)
    const evaluation = flag.evaluate(context, nowMs)
    meter.count(flag, evaluation.reason)
    const body = snippets.of(flag, evaluation) + tail(evaluation, context.targetingKey, nowMs)
    return reply.header('content-type', 'application/json; charset=utf-8').send(body)
  }

  app.get<EvaluateByGet>('/flags/:key/evaluate', { config: { hot: true } }, (request, reply) => {
    if (request.headers['flags-min-version'] === undefined) answer(request, reply)
    else return freshen(freshness, request, reply).then(() => answer(request, reply))
  })
}

/** `{"flag_id":…,"enabled":…,"variation":…,"value":…`, open at its end. */
function head(flag: CompiledFlag, { value, variation }: Evaluation): string {
  const shown = { flag_id: flag.key, enabled: Boolean(value), variation: variation ?? null, value: value ?? null }
  return JSON.stringify(shown).slice(0, -1)
}

/** What the request and its moment determine, and the end of the object. */
function tail(evaluation: Evaluation, userId: string | undefined, nowMs: number): string {
  const user = userId === undefined ? 'null' : JSON.stringify(userId)
  return `,"user_id":${user},"reason":"${evaluation.reason}"${rare(evaluation)},"evaluated_at":"${isoTime(nowMs)}"}`
}

function rare({ ruleId, errorCode, errorDetails }: Evaluation): string {
  if (ruleId === undefined && errorCode === undefined) return ''
  const text = JSON.stringify({ rule_id: ruleId, error_code: errorCode, error_details: errorDetails })
  return `,${text.slice(1, -1)}`
}

/** A flag that is not there: 404, or what the caller named as `default`. */
function answerUnknown(
  reply: FastifyReply,
  key: string,
  query: Query,
  userId: string | undefined,
  nowMs: number,
): FastifyReply {
  const fallback = single(query, 'default')
  if (fallback === undefined) throw new FlagsError('FLAG_NOT_FOUND', `There is no flag "${key}".`)
  const value = jsonOrText(fallback)
  return reply.send({
    flag_id: key,
    enabled: Boolean(value),
    variation: null,
    value,
    user_id: userId ?? null,
    reason: 'DEFAULT',
    error_code: 'FLAG_NOT_FOUND',
    evaluated_at: isoTime(nowMs),
  })
}

/** `false`, `42` and `{"a":1}` are what they look like; anything else is text. */
function jsonOrText(text: string): Json {
  try {
    const value = JSON.parse(text) as Json
    return findIllFormed(value, jsonDepthMax) ? text : value
  } catch {
    return text
  }
}
