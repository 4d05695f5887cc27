import { z } from 'zod'
import { FlagsError } from '../../base/errors.ts'
import { batchRequestsMax } from '../../base/limits.ts'
import type { Catalog } from '../../catalog/ports.ts'
import type { EvaluationContext } from '../../evaluation/model.ts'
import { parseFlag } from '../../evaluation/parse.ts'
import { visibleTo } from '../access/visible.ts'
import { checkContext, contextFromQuery, type Query, single } from '../context.ts'
import { answerOf, type NativeAnswer, withDefault } from '../native-evaluation.ts'
import { context, scopeQuery } from '../schemas.ts'
import type { App } from '../types.ts'

const whatIfBody = z.strictObject({
  flag: z.unknown().describe('A whole flag, as PUT takes it; it is not stored'),
  contexts: z.array(context).max(batchRequestsMax, `must be at most ${batchRequestsMax}`),
})

interface AuditRequest {
  Params: { key: string }
  Querystring: Query
}

/** `GET /flags/:key/audit`: why a context gets what it gets. `POST /whatif`: who would get something else from a draft. */
export function explainRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  const { ruleset } = catalog

  app.get<AuditRequest>('/flags/:key/audit', (request, reply) => {
    const { key } = request.params
    const namespace = single(request.query, 'namespace') ?? 'default'
    const environment = single(request.query, 'environment') ?? 'default'
    const context = contextFromQuery(request.query)
    reply.header('flags-version', catalog.root())
    const compiled = ruleset.find(namespace, environment, key)
    if (!compiled) throw new FlagsError('FLAG_NOT_FOUND', `There is no flag "${key}".`)
    const answer = answerOf(compiled, context, { nowMs: Date.now(), explain: true })
    const { steps, ...result } = withDefault(answer, undefined)
    reply.send({
      flag: visibleTo(request, ruleset.flag(namespace, key) ?? {}),
      environment,
      context,
      result,
      steps,
      fault: compiled.fault || undefined,
    })
  })

  app.post('/whatif', { schema: { querystring: scopeQuery, body: whatIfBody } }, (request, reply) => {
    const { namespace, environment } = request.query
    const definition = parseFlag(namespace, request.body.flag)
    const draft = ruleset.draft(definition, environment)
    const stored = ruleset.find(namespace, environment, definition.key)
    const nowMs = Date.now()

    function ask(flag: typeof draft | undefined, context: EvaluationContext): Omit<NativeAnswer, 'version'> | null {
      if (!flag) return null
      const { version: _, ...answer } = withDefault(answerOf(flag, context, { nowMs, explain: false }), undefined)
      return answer
    }

    const results = request.body.contexts.map((given) => {
      const context = checkContext(given)
      const [before, after] = [ask(stored, context), ask(draft, context)]
      return { context, before, after, changes: !sameOutcome(before, after) }
    })
    const changed = results.filter((result) => result.changes).length
    reply
      .header('flags-version', catalog.root())
      .send({ key: definition.key, changed, results, fault: draft.fault || undefined })
  })
}

type Outcome = Pick<NativeAnswer, 'value' | 'variation' | 'errorCode'>

/** Whoever asks gets the same from both, whichever rule it comes from. */
function sameOutcome(before: Outcome | null, after: Outcome | null): boolean {
  const outcome = (answer: Outcome | null) => JSON.stringify([answer?.value, answer?.variation, answer?.errorCode])
  return before !== null && outcome(before) === outcome(after)
}
