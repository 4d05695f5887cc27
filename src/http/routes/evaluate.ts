import { z } from 'zod'
import { batchRequestsMax } from '../../base/limits.ts'
import type { Catalog } from '../../catalog/ports.ts'
import type { EvaluationMeter } from '../metrics.ts'
import { evaluateBody, type NativeAnswer, type NativeRequest, nativeAnswer } from '../native-evaluation.ts'
import { type Problem, problemOf, toFlagsError } from '../problem.ts'
import { type Scope, scopeQuery } from '../schemas.ts'
import type { App } from '../types.ts'
import { parsed } from '../zod-validator.ts'

const batchBody = z.strictObject({
  requests: z.array(z.unknown()).max(batchRequestsMax, `must be at most ${batchRequestsMax}`),
})

/** `POST /evaluate`, one or a batch in which each request has its own answer or its own problem. */
export function evaluateRoutes(app: App, parts: { catalog: Catalog; meter: EvaluationMeter }): void {
  const { catalog, meter } = parts
  const config = { role: 'evaluate' } as const

  function evaluate(request: NativeRequest, scope: Scope, nowMs: number): NativeAnswer {
    const answer = nativeAnswer(catalog.ruleset, request, scope, nowMs)
    meter.count(answer.reason)
    return answer
  }

  function evaluateOrExplain(request: unknown, scope: Scope, nowMs: number): NativeAnswer | Problem {
    try {
      return evaluate(parsed(evaluateBody, request), scope, nowMs)
    } catch (error) {
      return problemOf(toFlagsError(error))
    }
  }

  app.post('/evaluate', { schema: { querystring: scopeQuery, body: evaluateBody }, config }, (request, reply) => {
    reply.header('flags-version', catalog.root())
    reply.send(evaluate(request.body, request.query, Date.now()))
  })

  app.post('/evaluate/batch', { schema: { querystring: scopeQuery, body: batchBody }, config }, (request, reply) => {
    reply.header('flags-version', catalog.root())
    const nowMs = Date.now()
    reply.send({ results: request.body.requests.map((one) => evaluateOrExplain(one, request.query, nowMs)) })
  })
}
