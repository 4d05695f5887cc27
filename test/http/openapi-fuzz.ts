import { below, type Random } from '../../src/base/random.ts'
import type { DocumentedOperation, OpenApi, Schema } from './openapi-document.ts'

export interface FuzzedRequest {
  readonly operation: DocumentedOperation
  readonly url: string
  readonly headers: Record<string, string>
  /** As it is sent. */
  readonly body: Buffer | undefined
}

/** Texts that are keys of things that may exist, and texts that have broken somebody's server. */
const keys = ['f', 'g', 'a/b', 's', 'new', 'none']
const nasty = [
  '',
  ' ',
  '%',
  '%00',
  '..',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\u202e',
  '\ud83d\ude00',
  "';--",
  'x'.repeat(200),
  '1e999',
  '-1',
  'NaN',
  '99999999999999999999',
  '2020-01-01T00:00:00Z',
  '*',
  '"0"',
]
const attributes = ['user_id', 'country', 'plan', '__proto__', 'namespace', 'explain', 'default', 'a.b']
const numbers = [0, 1, -1, 0.5, 100, 10_000, 2 ** 53, -(2 ** 31), 1e308, 1e-308]

/** Requests made from the document: mostly as it says, often a little wrong, sometimes nonsense. One seed, one sequence. */
export function* fuzzRequests(api: OpenApi, random: Random): Generator<FuzzedRequest, never> {
  const chance = (share: number) => below(random, 1_000) < share * 1_000
  const oneOf = <T>(items: readonly T[]): T => items[below(random, items.length)] as T
  const text = () => oneOf(chance(0.6) ? keys : nasty)

  function anything(depth: number): unknown {
    const kind = below(random, depth > 4 ? 4 : 6)
    if (kind === 0) return text()
    if (kind === 1) return oneOf(numbers)
    if (kind === 2) return chance(0.5)
    if (kind === 3) return null
    const members = Array.from({ length: below(random, 4) }, () => anything(depth + 1))
    return kind === 4 ? members : Object.fromEntries(members.map((member) => [text(), member]))
  }

  function generate(given: Schema, depth: number): unknown {
    if (depth > 8 || chance(0.02)) return anything(depth)
    const schema = api.resolve(given) as Schema & {
      readonly type?: string | string[]
      readonly enum?: unknown[]
      readonly anyOf?: Schema[]
      readonly const?: unknown
    }
    if (schema.const !== undefined) return schema.const
    if (schema.enum) return oneOf(schema.enum)
    if (schema.anyOf) return generate(oneOf(schema.anyOf), depth)
    const type = Array.isArray(schema.type) ? oneOf(schema.type) : schema.type
    if (type === 'object') return generateObject(schema, depth)
    if (type === 'array') {
      const items = (schema.items ?? {}) as Schema
      return Array.from({ length: below(random, 4) }, () => generate(items, depth + 1))
    }
    if (type === 'integer' || type === 'number') {
      const { minimum = 0, maximum = 10_000 } = schema as { minimum?: number; maximum?: number }
      return chance(0.9) ? minimum + below(random, Math.min(maximum - minimum, 2 ** 31) + 1) : oneOf(numbers)
    }
    if (type === 'boolean') return chance(0.5)
    if (type === 'string') return text()
    return type === 'null' ? null : anything(depth)
  }

  function generateObject(schema: Schema, depth: number): Record<string, unknown> {
    const {
      properties = {},
      required = [],
      additionalProperties,
    } = schema as {
      properties?: Record<string, Schema>
      required?: string[]
      additionalProperties?: Schema | boolean
    }
    const made: [string, unknown][] = []
    for (const [name, property] of Object.entries(properties)) {
      const wanted = required.includes(name) ? chance(0.95) : chance(0.3)
      if (wanted) made.push([name, generate(property, depth + 1)])
    }
    if (typeof additionalProperties === 'object') {
      for (let i = below(random, 3); i > 0; i--) made.push([text(), generate(additionalProperties, depth + 1)])
    }
    if (chance(0.02)) made.push([text(), anything(depth)])
    return Object.fromEntries(made)
  }

  function queryOf(operation: DocumentedOperation): string {
    const query = new URLSearchParams()
    for (const { name, in: where, required, schema } of operation.parameters) {
      if (where === 'query' && (required ? chance(0.95) : chance(0.25))) query.append(name, asText(generate(schema, 0)))
    }
    for (let i = chance(0.2) ? below(random, 4) : 0; i > 0; i--) query.append(oneOf(attributes), text())
    return chance(0.02) ? '%zz=%ff&=&&a[b]=c' : query.toString()
  }

  function bodyOf({ requestBody }: DocumentedOperation): { type: string; body: Buffer } | undefined {
    const [media] = Object.entries(requestBody?.content ?? {})
    if (!media) return chance(0.05) ? { type: 'application/json', body: Buffer.from('{}') } : undefined
    const [type, { schema }] = media
    if (chance(0.02)) return undefined
    const valid = Buffer.from(type.endsWith('json') ? JSON.stringify(generate(schema, 0)) : text())
    return { type: chance(0.02) ? 'text/plain' : type, body: chance(0.05) ? broken(valid) : valid }
  }

  function broken(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes.subarray(0, chance(0.5) ? below(random, bytes.length + 1) : bytes.length))
    if (copy.length > 0) copy[below(random, copy.length)] = below(random, 256)
    return copy
  }

  while (true) {
    const operation = oneOf(api.operations)
    const path = operation.path.replaceAll(/\{\w+\}/g, () => pathSegment(text()))
    const headers: Record<string, string> = {}
    for (const { name, in: where, schema } of operation.parameters) {
      if (where === 'header' && chance(0.2)) headers[name] = headerText(asText(generate(schema, 0)))
    }
    // Rarely, because the node waits for what it does not have.
    if (chance(0.005)) headers['flags-min-version'] = headerText(`${text()}=${text()}`)
    const sent = bodyOf(operation)
    if (sent) headers['content-type'] = sent.type
    const query = queryOf(operation)
    yield { operation, url: `/api/v1${path}${query && `?${query}`}`, headers, body: sent?.body }
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Clients refuse to send other characters in a header. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '').trim()
}

/** `.` and `..` would make the path another route's, however they are written. */
function pathSegment(text: string): string {
  return ['', '.', '..'].includes(text) ? 'x' : encodeURIComponent(text)
}
