import { z } from 'zod'
import { batchRequestsMax } from '../../base/limits.ts'
import type { Catalog } from '../../catalog/ports.ts'
import type { EvaluationMeter } from '../evaluation-meter.ts'
import {
  evaluateBody,
  type NativeAnswer,
  type NativeOptions,
  type NativeRequest,
  nativeAnswer,
} from '../native-evaluation.ts'
import { type Problem, problemOf, toFlagsError } from '../problem.ts'
import { explainFlag, scopeFields } from '../schemas.ts'
import type { App } from '../types.ts'
import { parsed } from '../zod-validator.ts'

const evaluateQuery = z.strictObject({ ...scopeFields, explain: explainFlag })
type EvaluateQuery = z.infer<typeof evaluateQuery>

const batchBody = z.strictObject({
  requests: z.array(z.unknown()).max(batchRequestsMax, `must be at most ${batchRequestsMax}`),
})

/** `POST /evaluate`, one or a batch in which each request has its own answer or its own problem. */
export function evaluateRoutes(app: App, { catalog, meter }: { catalog: Catalog; meter: EvaluationMeter }): void {
  function evaluate(request: NativeRequest, options: NativeOptions): NativeAnswer {
    const answer = nativeAnswer(catalog.ruleset, request, options)
    // What is not there is not counted: callers could make up names without end.
    if (answer.errorCode !== 'FLAG_NOT_FOUND')
      meter.count({ namespace: options.scope.namespace, key: answer.key }, answer.reason)
    return answer
  }

  function answerOrProblem(request: unknown, options: NativeOptions): NativeAnswer | Problem {
    try {
      return evaluate(parsed(evaluateBody, request), options)
    } catch (error) {
      return problemOf(toFlagsError(error))
    }
  }

  app.post('/evaluate', { schema: { querystring: evaluateQuery, body: evaluateBody } }, (request, reply) => {
    reply.header('flags-version', catalog.root())
    reply.send(evaluate(request.body, optionsOf(request.query)))
  })

  app.post('/evaluate/batch', { schema: { querystring: evaluateQuery, body: batchBody } }, (request, reply) => {
    reply.header('flags-version', catalog.root())
    const options = optionsOf(request.query)
    reply.send({ results: request.body.requests.map((one) => answerOrProblem(one, options)) })
  })
}

function optionsOf({ explain, ...scope }: EvaluateQuery): NativeOptions {
  return { scope, explain, nowMs: Date.now() }
}
