import { z } from 'zod'
import { flagDocumentSchema, segmentDocumentSchema } from '../../evaluation/schema.ts'
import { environment, namespace, subject } from '../schemas.ts'
import * as answers from './answers.ts'

/** What the document says of a route, beyond what the schemas that validate its requests say. */
export interface Operation {
  readonly tag: 'Evaluation' | 'OFREP' | 'Flags' | 'Segments' | 'History' | 'Keys' | 'Live updates' | 'Node'
  readonly summary: string
  /** Success: status -> JSON body, or a media type and what it is; null for no body. */
  readonly answers: Readonly<Record<number, z.ZodType | { readonly type: string; readonly description: string } | null>>
  /**
   * Refusals of its own: status -> when. Those that any route may answer (400, 401, 403, 413, 415, 429, 500, 503) are told once, as the
   * default.
   */
  readonly refusals?: Readonly<Partial<Record<404 | 409 | 412 | 422, string>>>
  /** Where the route's own schema takes anything, because the catalog checks it with this one. */
  readonly body?: z.ZodType
  /** Where the route is too hot for a schema. */
  readonly querystring?: z.ZodType
  readonly headers?: z.ZodType
  /** Media type of the body where it is not JSON. */
  readonly consumes?: string
}

const flagBody = flagDocumentSchema.partial({ key: true })
const segmentBody = segmentDocumentSchema.partial({ key: true })
const mergePatch = z.record(z.string(), z.unknown()).describe('RFC 7396: null removes a property')
const evaluatedFor = z
  .object({ namespace, environment, user_id: subject.optional(), default: z.string().optional() })
  .partial()
  .describe('Every other parameter is an attribute of the context')
const ofrepBody = z.looseObject({ context: z.looseObject({ targetingKey: subject.optional() }).optional() })
const importBody = z.looseObject({}).describe('{"flags": […], "segments": […]}, or the document of another format')
const ofrepHeaders = z
  .object({ 'flags-namespace': namespace, 'flags-environment': environment })
  .partial()
  .describe('In place of the query')
const ofrepFailures = { 400: answers.ofrepFailure, 404: answers.ofrepFailure, 500: answers.ofrepFailure }
const ifMatch = z.object({
  'if-match': z.string().optional().describe('The version that the caller has seen; else 412'),
})
const ifNoneMatch = z.object({
  'if-none-match': z.string().optional().describe('The version that the caller has; 304 when it is still in force'),
})
const missing = { 404: 'There is none of this key' } as const
const exists = { 409: 'There is one of this key already' } as const
const stale = { 412: 'If-Match or If-None-Match is not met: the version in force is another' } as const
const senseless = { 422: 'It makes no sense; `errors` says where' } as const
const inUse = { 422: 'Others name it, and it is not deleted; `errors` says which' } as const
const missingVersion = { 404: 'There is no such thing, or its history has no such version' } as const
const eventStream = { type: 'text/event-stream', description: 'Server-sent events; a comment every 15 s' }

/** Every route of accessTable. */
export const operations: Readonly<Record<string, Operation>> = {
  'GET /flags': { tag: 'Flags', summary: 'List flags', answers: { 200: answers.flags } },
  'POST /flags': {
    tag: 'Flags',
    summary: 'Create a flag',
    body: flagDocumentSchema,
    refusals: { ...exists, ...senseless },
    answers: { 201: answers.flag },
  },
  'GET /flags/:key': {
    tag: 'Flags',
    summary: 'Read a flag',
    headers: ifNoneMatch,
    refusals: missing,
    answers: { 200: answers.flag, 304: null },
  },
  'PUT /flags/:key': {
    tag: 'Flags',
    summary: 'Replace or create a flag',
    headers: ifMatch,
    body: flagBody,
    refusals: { ...stale, ...senseless },
    answers: { 200: answers.flag, 201: answers.flag },
  },
  'PATCH /flags/:key': {
    tag: 'Flags',
    summary: 'Change properties of a flag',
    headers: ifMatch,
    body: mergePatch,
    refusals: { ...missing, ...stale, ...senseless },
    answers: { 200: answers.flag },
  },
  'DELETE /flags/:key': {
    tag: 'Flags',
    summary: 'Delete a flag',
    headers: ifMatch,
    refusals: { ...missing, ...stale, ...inUse },
    answers: { 204: null },
  },
  'POST /flags/:key/rollout': {
    tag: 'Flags',
    summary: 'Roll a flag out to a percentage',
    headers: ifMatch,
    refusals: { ...missing, ...stale, ...senseless },
    answers: { 200: answers.flag },
  },
  'GET /segments': { tag: 'Segments', summary: 'List segments', answers: { 200: answers.segments } },
  'POST /segments': {
    tag: 'Segments',
    summary: 'Create a segment',
    body: segmentDocumentSchema,
    refusals: { ...exists, ...senseless },
    answers: { 201: answers.segment },
  },
  'GET /segments/:key': {
    tag: 'Segments',
    summary: 'Read a segment',
    headers: ifNoneMatch,
    refusals: missing,
    answers: { 200: answers.segment, 304: null },
  },
  'PUT /segments/:key': {
    tag: 'Segments',
    summary: 'Replace or create a segment',
    headers: ifMatch,
    body: segmentBody,
    refusals: { ...stale, ...senseless },
    answers: { 200: answers.segment, 201: answers.segment },
  },
  'PATCH /segments/:key': {
    tag: 'Segments',
    summary: 'Change properties of a segment',
    headers: ifMatch,
    body: mergePatch,
    refusals: { ...missing, ...stale, ...senseless },
    answers: { 200: answers.segment },
  },
  'DELETE /segments/:key': {
    tag: 'Segments',
    summary: 'Delete a segment',
    headers: ifMatch,
    refusals: { ...missing, ...stale, ...inUse },
    answers: { 204: null },
  },
  'POST /import': {
    tag: 'Flags',
    summary: 'Import a document, all or nothing',
    body: importBody,
    refusals: senseless,
    answers: { 200: answers.importReport },
  },
  'GET /export': { tag: 'Flags', summary: 'Export what import takes', answers: { 200: answers.rulesetDocument } },

  'GET /flags/:key/evaluate': {
    tag: 'Evaluation',
    summary: 'Evaluate a flag for the context in the query',
    querystring: evaluatedFor,
    refusals: missing,
    answers: { 200: answers.evaluationByGet },
  },
  'POST /evaluate': {
    tag: 'Evaluation',
    summary: 'Evaluate a flag',
    refusals: missing,
    answers: { 200: answers.evaluation },
  },
  'POST /evaluate/batch': {
    tag: 'Evaluation',
    summary: 'Evaluate many at once',
    answers: { 200: answers.evaluations },
  },
  'GET /features': { tag: 'Evaluation', summary: 'Which boolean flags are on', answers: { 200: answers.features } },
  'GET /flags/:key/audit': {
    tag: 'Evaluation',
    summary: 'Why a context gets what it gets',
    querystring: evaluatedFor,
    refusals: missing,
    answers: { 200: answers.explanation },
  },
  'POST /whatif': {
    tag: 'Evaluation',
    summary: 'Who would get something else from a flag that is not stored',
    answers: { 200: answers.whatIf },
  },
  'GET /ruleset': {
    tag: 'Live updates',
    summary: 'Everything that a client needs to evaluate by itself',
    headers: ifNoneMatch,
    answers: { 200: answers.ruleset, 304: null },
  },
  'GET /stream': { tag: 'Live updates', summary: 'Changes as they happen', answers: { 200: eventStream } },
  'POST /ofrep/v1/evaluate/flags': {
    tag: 'OFREP',
    summary: 'Evaluate all flags',
    headers: ofrepHeaders,
    body: ofrepBody,
    answers: { 200: answers.ofrepBulk, 304: null, 400: answers.ofrepFailure, 500: answers.ofrepFailure },
  },
  'POST /ofrep/v1/evaluate/flags/:key': {
    tag: 'OFREP',
    summary: 'Evaluate a flag',
    headers: ofrepHeaders,
    body: ofrepBody,
    answers: { 200: answers.ofrepSuccess, ...ofrepFailures },
  },
  'GET /ofrep/v1/stream': {
    tag: 'OFREP',
    summary: 'When to ask again',
    answers: { 200: eventStream, 400: answers.ofrepFailure, 500: answers.ofrepFailure },
  },

  'GET /flags/:key/history': {
    tag: 'History',
    summary: 'Versions of a flag',
    refusals: missing,
    answers: { 200: answers.history },
  },
  'GET /flags/:key/history/:version': {
    tag: 'History',
    summary: 'A version whole',
    refusals: missingVersion,
    answers: { 200: answers.entry },
  },
  'POST /flags/:key/rollback': {
    tag: 'History',
    summary: 'Write an earlier version again',
    headers: ifMatch,
    refusals: { ...missingVersion, ...stale, ...senseless },
    answers: { 200: answers.flag, 201: answers.flag },
  },
  'GET /segments/:key/history': {
    tag: 'History',
    summary: 'Versions of a segment',
    refusals: missing,
    answers: { 200: answers.history },
  },
  'GET /segments/:key/history/:version': {
    tag: 'History',
    summary: 'A version whole',
    refusals: missingVersion,
    answers: { 200: answers.entry },
  },
  'POST /segments/:key/rollback': {
    tag: 'History',
    summary: 'Write an earlier version again',
    headers: ifMatch,
    refusals: { ...missingVersion, ...stale, ...senseless },
    answers: { 200: answers.segment, 201: answers.segment },
  },
  'GET /audit': { tag: 'History', summary: 'Every change on any node', answers: { 200: answers.audit } },
  'GET /audit/verify': {
    tag: 'History',
    summary: 'Whether the audit log of this node is as its authors left it',
    answers: { 200: answers.verification },
  },
  'GET /reports/diff': { tag: 'History', summary: 'What differs between environments', answers: { 200: answers.diff } },
  'GET /reports/changes': { tag: 'History', summary: 'What has changed of late', answers: { 200: answers.changes } },

  'GET /keys': { tag: 'Keys', summary: 'List API keys', answers: { 200: answers.keys } },
  'POST /keys': { tag: 'Keys', summary: 'Make an API key', refusals: senseless, answers: { 201: answers.madeKey } },
  'DELETE /keys/:id': { tag: 'Keys', summary: 'Revoke an API key', refusals: missing, answers: { 204: null } },

  'GET /mesh': { tag: 'Node', summary: 'Who is there, and what they hold', answers: { 200: answers.mesh } },
  'POST /mesh/bulk': {
    tag: 'Node',
    summary: 'Frames between nodes; no API key, but the seal of the mesh',
    consumes: 'application/octet-stream',
    body: z.string().describe('A sealed frame'),
    answers: { 204: null },
  },
  'GET /metrics': {
    tag: 'Node',
    summary: 'For Prometheus',
    answers: { 200: { type: 'text/plain', description: 'Text exposition format' } },
  },
  'GET /health': { tag: 'Node', summary: 'Ready, and stores writes', answers: { 200: answers.health } },
  'GET /health/live': { tag: 'Node', summary: 'The process answers', answers: { 200: answers.health } },
  'GET /health/ready': { tag: 'Node', summary: 'Evaluates from a loaded ruleset', answers: { 200: answers.health } },
  'GET /openapi.json': { tag: 'Node', summary: 'This document', answers: { 200: z.looseObject({}) } },
  'GET /docs': {
    tag: 'Node',
    summary: 'This document, to browse',
    answers: { 200: { type: 'text/html', description: 'A page' } },
  },
  'GET /docs/:asset': {
    tag: 'Node',
    summary: 'What that page needs',
    refusals: missing,
    answers: { 200: { type: 'text/javascript', description: 'A script or a style sheet' } },
  },
}
