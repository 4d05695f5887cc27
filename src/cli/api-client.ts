import { CommandError } from './command-error.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/api/v1`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  /** JSON text. */
  readonly body?: string
  /** Told how many bytes of the body have been taken. */
  readonly onSent?: (bytes: number) => void
}

/** Talks to one node. Throws CommandError with what to do about it. */
export interface ApiClient {
  readonly url: string
  /** The answer's JSON; null where there is none. */
  request(request: ApiRequest): Promise<unknown>
}

const sentChunkBytes = 64 * 1024

/** A client of the node at FLAGS_URL, with the key FLAGS_API_KEY if there is one. */
export function createApiClient(env: NodeJS.ProcessEnv): ApiClient {
  const url = (env.FLAGS_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '')
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new CommandError(`FLAGS_URL is not the address of a node: ${url}. Set it to one like http://127.0.0.1:8080.`)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (env.FLAGS_API_KEY) headers['x-api-key'] = env.FLAGS_API_KEY

  async function request({ method, path, query = {}, body, onSent }: ApiRequest): Promise<unknown> {
    const target = new URL(`${url}/api/v1${path}`)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(name, value)
    const response = await send(target, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body !== undefined && { body: streamOf(body, onSent), duplex: 'half' }),
    })
    const text = await response.text()
    if (response.ok) return parseAnswer(text, target)
    throw new CommandError(explainProblem(response.status, text, url))
  }
  return { url, request }
}

async function send(target: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(target, init)
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CommandError(
      `No node answers at ${target.origin} (${reason}): start one with npm start, or set FLAGS_URL to one that runs.`,
    )
  }
}

function parseAnswer(text: string, target: URL): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandError(`${target.href} does not answer with JSON: set FLAGS_URL to a Flags node.`)
  }
}

/** A problem (RFC 9457) as lines for people: what is wrong, then each fault of the input with its place. */
function explainProblem(status: number, text: string, url: string): string {
  const problem = parseProblem(text)
  const advice = status === 401 ? ' Set FLAGS_API_KEY.' : ''
  const faults = problem.errors.map(({ path, message }) => `  ${path}: ${message}`)
  return [`${problem.detail ?? `${url} answered ${status}.`}${advice}`, ...faults].join('\n')
}

interface ProblemText {
  readonly detail: string | undefined
  readonly errors: readonly { readonly path: string; readonly message: string }[]
}

function parseProblem(text: string): ProblemText {
  try {
    const { detail, errors } = JSON.parse(text) as Record<string, unknown>
    return {
      detail: typeof detail === 'string' ? detail : undefined,
      errors: Array.isArray(errors) ? (errors as ProblemText['errors']) : [],
    }
  } catch {
    return { detail: undefined, errors: [] }
  }
}

function streamOf(body: string, onSent: (bytes: number) => void = () => {}): ReadableStream<Uint8Array> {
  const bytes = Buffer.from(body)
  let offset = 0
  return new ReadableStream({
    pull(controller) {
      if (offset >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(offset, offset + sentChunkBytes))
      offset = Math.min(offset + sentChunkBytes, bytes.length)
      onSent(offset)
    },
  })
}
