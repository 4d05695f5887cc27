import { z } from 'zod'
import { errorCatalogue } from '../../base/errors.ts'
import { roles } from '../../catalog/api-keys.ts'
import { changeKinds, nouns } from '../../catalog/log-entry.ts'
import { flagDocumentSchema, segmentDocumentSchema } from '../../evaluation/schema.ts'

/** What the API answers, for the document alone: answers are ours, so nothing checks them but the tests. */

const anyJson = z.unknown().describe('Any JSON')
const instant = z.string().meta({ format: 'date-time' })
const version = z.string().describe('Sorts as text; the ETag of the thing')
const root = z.string().describe('The version of the whole ruleset')
const reason = z.enum(['STATIC', 'TARGETING_MATCH', 'SPLIT', 'DEFAULT', 'DISABLED', 'ERROR'])
const errorCode = z.enum([
  'FLAG_NOT_FOUND',
  'PARSE_ERROR',
  'TYPE_MISMATCH',
  'TARGETING_KEY_MISSING',
  'INVALID_CONTEXT',
  'GENERAL',
])

export const problem = z
  .object({
    status: z.int(),
    title: z.string(),
    detail: z.string(),
    code: z.enum(Object.keys(errorCatalogue) as [keyof typeof errorCatalogue]),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    requestId: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })

const known = { version, createdAt: instant, updatedAt: instant, updatedBy: z.string().optional() }
const { rolloutPercentage: _p, rollout_percentage: _u, ...flagShape } = flagDocumentSchema.shape

const complete = {
  namespace: z.string(),
  type: flagShape.type.unwrap(),
  variations: flagShape.variations.unwrap(),
  enabled: z.boolean(),
}
export const flag = z
  .object({
    ...flagShape,
    ...complete,
    ...known,
    environment: z.string().optional().describe('Where the flag is shown as one environment has it'),
  })
  .meta({ id: 'Flag' })
const flagDefinition = flag.omit({
  version: true,
  createdAt: true,
  updatedAt: true,
  updatedBy: true,
  environment: true,
})

export const segment = z
  .object({ ...segmentDocumentSchema.shape, namespace: z.string(), ...known })
  .meta({ id: 'Segment' })
const segmentDefinition = segment.omit({ version: true, createdAt: true, updatedAt: true, updatedBy: true })

const nextCursor = z.string().optional()
export const flags = z.object({ flags: z.array(flag), nextCursor })
export const segments = z.object({ segments: z.array(segment), nextCursor })
export const rulesetDocument = z.object({ flags: z.array(flagDefinition), segments: z.array(segmentDefinition) })

const counts = z.object({ created: z.int(), updated: z.int(), unchanged: z.int(), deleted: z.int() })
export const importReport = z.looseObject({ flags: counts, segments: counts })

export const step = z.looseObject({ kind: z.string(), at: z.string(), outcome: z.unknown() })
export const evaluation = z
  .object({
    key: z.string(),
    value: anyJson,
    variation: z.string().optional(),
    reason,
    ruleId: z.string().optional(),
    version: version.optional(),
    errorCode: errorCode.optional(),
    errorDetails: z.string().optional(),
    steps: z.array(step).optional(),
  })
  .meta({ id: 'Evaluation' })
export const evaluations = z.object({ results: z.array(z.union([evaluation, problem])) })

export const evaluationByGet = z.object({
  flag_id: z.string(),
  enabled: z.boolean(),
  variation: z.string().nullable(),
  value: anyJson,
  user_id: z.string().nullable(),
  reason,
  rule_id: z.string().optional(),
  error_code: errorCode.optional(),
  error_details: z.string().optional(),
  evaluated_at: instant,
})

export const features = z.object({ features: z.array(z.string()) })
export const explanation = z.object({
  flag,
  environment: z.string(),
  context: z.looseObject({}),
  result: evaluation,
  steps: z.array(step).optional(),
  fault: z.string().optional(),
})
const outcome = evaluation.omit({ version: true }).nullable()
export const whatIf = z.object({
  key: z.string(),
  changed: z.int(),
  results: z.array(z.object({ context: z.looseObject({}), before: outcome, after: outcome, changes: z.boolean() })),
  fault: z.string().optional(),
})

const keyLists = z.object({ flags: z.array(z.string()), segments: z.array(z.string()) })
export const ruleset = z.object({
  root,
  namespace: z.string(),
  environment: z.string(),
  since: z.string().optional(),
  flags: z.array(flag),
  segments: z.array(segment),
  removed: keyLists.optional(),
})

export const ofrepFailure = z.object({ key: z.string(), errorCode, errorDetails: z.string().optional() })
export const ofrepSuccess = z.object({
  key: z.string(),
  value: anyJson.optional(),
  variant: z.string().optional(),
  reason,
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})
export const ofrepBulk = z.object({
  flags: z.array(z.union([ofrepSuccess, ofrepFailure])),
  metadata: z.object({ version: z.string(), reason: z.string().optional() }),
  eventStreams: z.array(z.object({ type: z.literal('sse'), endpoint: z.object({ requestUri: z.string() }) })),
})

const keyShape = {
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  namespaces: z.array(z.string()).optional(),
  environments: z.array(z.string()).optional(),
  rateLimit: z.int().optional(),
  expiresAt: z.string().optional(),
  createdAt: instant,
  createdBy: z.string(),
}
export const keys = z.object({ keys: z.array(z.object(keyShape)) })
export const madeKey = z.object({ ...keyShape, secret: z.string().describe('Shown once, and stored nowhere') })

const summaryShape = {
  version,
  at: instant,
  actor: z.object({ id: z.string(), name: z.string(), from: z.string() }),
  node: z.string(),
  change: z.enum(changeKinds),
  reason: z.string().optional(),
  requestId: z.string().optional(),
  conflict: z.boolean().optional().describe('Another author, who had not seen it, wrote over it'),
}
export const history = z.object({ versions: z.array(z.object(summaryShape)) })
const thingShape = { namespace: z.string().optional(), kind: z.enum(nouns), key: z.string() }
export const entry = z.object({
  ...summaryShape,
  ...thingShape,
  registers: z.array(z.string()),
  beforeVersion: z.string().nullable(),
  before: z.looseObject({}).nullable().describe('null also where the log has it no more'),
  after: z.looseObject({}).nullable(),
})
export const audit = z.object({ entries: z.array(entry), nextCursor })
export const verification = z.object({
  intact: z.boolean(),
  entries: z.int(),
  digest: z.string().describe('The same on every node that holds the same log'),
  broken: z.array(z.object({ ...summaryShape, ...thingShape })),
  unreadable: z.array(z.string()),
  refused: z
    .array(z.string())
    .describe('Forged entries, on the disk or from a peer, that this node refused since its start'),
})

const comparison = z.object({
  namespace: z.string(),
  key: z.string(),
  enabled: z.record(z.string(), z.boolean()),
  differs: z.array(z.string()),
})
export const diff = z.object({
  environments: z.array(z.string()),
  switched: z.array(comparison).describe('On in one environment and off in another'),
  targeted: z.array(comparison).describe('On or off in all of them, but not the same'),
})
export const changes = z.object({
  since: instant,
  changes: z.int(),
  truncated: z.boolean().optional(),
  by: z.record(z.string(), z.int()),
  nodes: z.record(z.string(), z.int()),
  things: z.array(z.object({ ...thingShape, changes: z.int(), latest: z.object(summaryShape) })),
})

export const mesh = z.object({
  self: z.object({ id: z.string(), address: z.string(), url: z.string() }),
  members: z.array(
    z.object({
      id: z.string(),
      address: z.string(),
      url: z.string(),
      state: z.enum(['alive', 'suspect', 'dead', 'left']),
      incarnation: z.number(),
      root: z.string(),
      lastSeenMs: z.number().nullable(),
      behindMs: z.number().nullable().describe('Since when its root has differed from the one of this node'),
    }),
  ),
  ruleset: z.object({ root, flags: z.int(), segments: z.int(), faults: z.int(), tombstones: z.int() }),
  conflicts: z.int(),
  isolated: z.boolean().describe('All peers are gone, and not all of them said goodbye'),
})
export const health = z.object({ status: z.literal('ok'), node: z.string().optional(), root: root.optional() })
