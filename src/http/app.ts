import compress from '@fastify/compress'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import manifest from '../../package.json' with { type: 'json' }
import { bodyBytesMax } from '../base/limits.ts'
import type { Catalog, NodeView } from '../catalog/ports.ts'
import { type Callers, createCallers } from './access/callers.ts'
import { guard } from './access/guard.ts'
import { answerBrokenRequest, answerUnknownRoutes, problemHandler } from './errors.ts'
import { createEvaluationMeter } from './evaluation-meter.ts'
import { createFreshness, honourMinVersion, tellIsolation } from './freshness.ts'
import { closeGracefully } from './graceful-close.ts'
import { createHttpServer } from './http-server.ts'
import { acceptJson } from './json-body.ts'
import { guardMethods } from './method-guard.ts'
import { createRegistry, meterHotRoutes, timeRequests } from './metrics.ts'
import { collectRoutes } from './openapi/route-collector.ts'
import { recentChanges } from './recent-changes.ts'
import { requestIds } from './request-ids.ts'
import { logRequests } from './request-log.ts'
import { auditRoutes } from './routes/audit.ts'
import { docsRoutes } from './routes/docs.ts'
import { evaluateRoutes } from './routes/evaluate.ts'
import { evaluateByGetRoute } from './routes/evaluate-by-get.ts'
import { explainRoutes } from './routes/explain.ts'
import { featureRoutes } from './routes/features.ts'
import { flagRoutes } from './routes/flags.ts'
import { healthRoutes } from './routes/health.ts'
import { historyRoutes } from './routes/history.ts'
import { importExportRoutes } from './routes/import-export.ts'
import { keyRoutes } from './routes/keys.ts'
import { meshRoutes } from './routes/mesh.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { allowBrowsers, ofrepRoutes } from './routes/ofrep.ts'
import { reportRoutes } from './routes/reports.ts'
import { rulesetRoute } from './routes/ruleset.ts'
import { segmentRoutes } from './routes/segments.ts'
import { ofrepStreamRoute, streamRoute } from './routes/stream.ts'
import { protectBrowsers } from './security-headers.ts'
import { type HttpSettings, pathSegmentCharactersMax } from './settings.ts'
import { createEventStreams } from './sse.ts'
import { createTlsIdentity } from './tls-identity.ts'
import type { App } from './types.ts'
import { zodValidator } from './zod-validator.ts'

export interface AppParts {
  readonly catalog: Catalog
  readonly node: NodeView
  readonly settings: HttpSettings
  readonly logger: Logger
  /** Takes a frame from a peer; false when it was dropped, and counted, because nobody of this mesh made it. */
  readonly receiveBulk: (body: Buffer) => boolean
  /** Watches every route that is registered after it: for traces. */
  readonly instrument?: (app: FastifyInstance) => Promise<void>
  /** Asks the peers for what this node lacks, soon: a client has heard of something that is not here yet. */
  readonly requestSync: () => void
}

const { version } = manifest

/** Every route answers with this prefix, and without it. */
const prefixes = ['/api/v1', '']

/** The HTTP API as a value: `inject` requests into it, or let it `listen`. Closing it finishes the requests in flight. */
export async function createApp(parts: AppParts): Promise<App> {
  const { catalog, node, settings, logger, requestSync } = parts
  const app = createServer(parts)
  const meter = createEvaluationMeter()
  const streams = createEventStreams()
  const registry = createRegistry({ catalog, node, meter, streams })
  const recent = recentChanges(catalog)
  const freshness = createFreshness({ catalog, recent, requestSync })

  const callers = callersOf(parts)
  const isAdmitted = ({ caller }: FastifyRequest) => caller === null || (callers?.isInForce(caller, Date.now()) ?? true)
  const stopReviewing = catalog.keys.onChange(() => streams.review())

  await parts.instrument?.(app as unknown as FastifyInstance)
  acceptJson(app)
  guard(app, callers)
  const routes = collectRoutes(app)
  timeRequests(app, registry)
  meterHotRoutes(app, registry)
  logRequests(app, logger)
  honourMinVersion(app, freshness)
  tellIsolation(app, node.isolated)
  const refuseOtherMethods = guardMethods(app)

  async function allRoutes(scope: App): Promise<void> {
    evaluateByGetRoute(scope, { catalog, meter, freshness, isolated: node.isolated })
    evaluateRoutes(scope, { catalog, meter })
    featureRoutes(scope, { catalog })
    streamRoute(scope, { catalog, recent, streams, isAdmitted })
    await scope.register(compressedRoutes)
    await scope.register(allOfrepRoutes, { prefix: '/ofrep/v1' })
    await scope.register(protectedRoutes)
  }

  // Compression and the headers for browsers put hooks on every route of their scope, which a hot route has no time for.
  async function compressedRoutes(scope: App): Promise<void> {
    await scope.register(compress, { global: false })
    rulesetRoute(scope, { catalog, recent })
  }

  /** What browsers may come across as a page: all but evaluations, for which the headers would cost more than the answer. */
  async function protectedRoutes(scope: App): Promise<void> {
    await protectBrowsers(scope, { tls: settings.tls !== undefined })
    flagRoutes(scope, { catalog })
    segmentRoutes(scope, { catalog })
    explainRoutes(scope, { catalog })
    importExportRoutes(scope, { catalog })
    keyRoutes(scope, { catalog })
    historyRoutes(scope, { catalog })
    auditRoutes(scope, { catalog })
    reportRoutes(scope, { catalog })
    docsRoutes(scope, { routes, version })
    healthRoutes(scope, { catalog, node })
    meshRoutes(scope, parts)
    metricsRoutes(scope, { registry, node })
  }

  async function allOfrepRoutes(scope: App): Promise<void> {
    await allowBrowsers(scope, settings.corsOrigins ?? ['*'])
    ofrepRoutes(scope, { catalog, meter, freshness, logger, isolated: node.isolated })
    ofrepStreamRoute(scope, { catalog, recent, streams, isAdmitted })
  }

  for (const prefix of prefixes) await app.register(allRoutes, { prefix })
  refuseOtherMethods()
  closeGracefully(app, () => {
    stopReviewing()
    streams.close()
    recent.stop()
  })
  return app
}

/** Who may come in; undefined where the node is open, because no admin key is set. */
function callersOf({ catalog, settings }: AppParts): Callers | undefined {
  const { adminKey, rateLimitPerMinute = 0 } = settings
  return adminKey === undefined ? undefined : createCallers({ adminKey, keys: catalog.keys, rateLimitPerMinute })
}

/** A Fastify server with our limits, our errors and our validators, and no routes yet. */
function createServer({ logger, settings }: AppParts): App {
  const identity = settings.tls && createTlsIdentity(settings.tls, logger)
  const answerError = problemHandler(logger)
  const app = fastify({
    bodyLimit: bodyBytesMax,
    genReqId: requestIds(),
    serverFactory: (handler) => createHttpServer(handler, identity),
    return503OnClosing: false,
    routerOptions: { maxParamLength: pathSegmentCharactersMax },
    frameworkErrors: answerError,
    clientErrorHandler: answerBrokenRequest,
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(zodValidator)
  // Answers are ours and need no check: schemas of answers are for the document alone.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.setErrorHandler(answerError)
  answerUnknownRoutes(app)
  return app
}
