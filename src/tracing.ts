import type { FastifyInstance } from 'fastify'
import { UsageError } from './settings.ts'

/** Traces of requests on their way to a collector. */
export interface Tracing {
  /** To be called before any route is registered. */
  instrument(app: FastifyInstance): Promise<void>
  /** Sends what is left. */
  stop(): Promise<void>
}

/**
 * Loads OpenTelemetry, which reads its own variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME,
 * OTEL_TRACES_SAMPLER …). Its packages are 40 MB, so they are there only where somebody installed them: without tracing it costs
 * nothing. Throws UsageError when they are missing.
 */
export async function startTracing(env: NodeJS.ProcessEnv): Promise<Tracing> {
  const [{ FastifyOtelInstrumentation }, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@fastify/otel'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]).catch(explainMissing)
  const { BatchSpanProcessor, NodeTracerProvider } = sdk
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': env.OTEL_SERVICE_NAME || 'flags-mesh', ...attributesIn(env) }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  })
  provider.register()
  const instrumentation = new FastifyOtelInstrumentation({ instrumentHooks: false })
  instrumentation.setTracerProvider(provider)
  return {
    instrument: async (app) => {
      await app.register(instrumentation.plugin())
    },
    stop: () => provider.shutdown(),
  }
}

/** `OTEL_RESOURCE_ATTRIBUTES`: `name=value` with commas between them, values percent-encoded. */
function attributesIn({ OTEL_RESOURCE_ATTRIBUTES = '' }: NodeJS.ProcessEnv): Record<string, string> {
  const pairs = OTEL_RESOURCE_ATTRIBUTES.split(',').map((pair) => pair.split('='))
  return Object.fromEntries(
    pairs.flatMap(([name, value]) => (name && value ? [[name.trim(), decodeURIComponent(value.trim())]] : [])),
  )
}

function explainMissing(error: unknown): never {
  const packages =
    '@fastify/otel @opentelemetry/sdk-trace-node@2 @opentelemetry/exporter-trace-otlp-http@0.223 @opentelemetry/resources@2'
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
  throw new UsageError(
    `OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and what makes them is not installed: npm install ${packages}, or unset it.`,
  )
}
