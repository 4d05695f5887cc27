import { UsageError } from '../settings.ts'
import { createApiClient } from './api-client.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface EvaluateOptions {
  /** JSON text. */
  readonly context: string
  readonly namespace?: string
  readonly environment?: string
  readonly json?: boolean
}

/** `eval KEY`. Throws CommandError, and UsageError for a context that is no JSON object. */
export async function evaluateFlag(
  key: string,
  options: EvaluateOptions,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const { namespace, environment } = options
  const body = JSON.stringify({ flagKey: key, context: parseContext(options.context) })
  const answer = await createApiClient(env).request({
    method: 'POST',
    path: '/evaluate',
    query: { namespace, environment },
    body,
  })
  if (options.json) return terminal.out(`${JSON.stringify(answer)}\n`)
  const rows = Object.entries(answer as Record<string, unknown>).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  terminal.out(formatTable(rows))
}

function parseContext(text: string): object {
  try {
    const context: unknown = JSON.parse(text)
    if (typeof context === 'object' && context !== null && !Array.isArray(context)) return context
  } catch {
    // The error below says it all.
  }
  throw new UsageError(`--context must be a JSON object like {"targetingKey":"user-1"}, not ${text}.`)
}
