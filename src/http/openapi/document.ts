import swagger from '@fastify/swagger'
import { fastify } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { accessTable } from '../access/table.ts'
import { problem } from './answers.ts'
import { type Operation, operations } from './operations.ts'
import type { CollectedRoute } from './route-collector.ts'

/**
 * The OpenAPI 3.1 document, from the schemas that validate. The routes are told to a Fastify that serves nothing, so that the
 * one that serves carries none of this. Loaded when the document is first asked for: it costs 100 ms, and most nodes never need it.
 */
export async function describeApi(routes: readonly CollectedRoute[], version: string): Promise<string> {
  const app = fastify()
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => () => '')
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Flags',
        version,
        description: 'A self-organizing feature-flag server: any node takes a write, every node answers from memory.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/api/v1' }],
      tags: [...new Set(Object.values(operations).map(({ tag }) => tag))].map((name) => ({ name })),
      components: {
        securitySchemes: {
          key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  for (const { method, url, schema } of routes) {
    const name = `${method} ${url}`
    const operation = operations[name]
    if (!operation) throw new Error(`Nobody described ${name}: see openapi/operations.ts`)
    app.route({ method, url, schema: describe(name, operation, schema), handler: () => undefined })
  }
  await app.ready()
  const document = JSON.stringify(app.swagger())
  await app.close()
  return document
}

function describe(name: string, operation: Operation, schema: CollectedRoute['schema']): object {
  const { tag, summary, headers, consumes, body = schema.body, querystring = schema.querystring } = operation
  const role = accessTable[name]?.role
  return {
    tags: [tag],
    summary,
    description: role === 'open' ? 'Open to everyone.' : `Needs the role ${role} where keys are in force.`,
    operationId: operationIdOf(name),
    security: role === 'open' ? [] : [{ key: [] }, { bearer: [] }],
    ...(name.includes('/:') && { params: schema.params ?? paramsOf(name) }),
    ...(headers && { headers }),
    ...(consumes !== undefined && { consumes: [consumes] }),
    ...(body !== undefined && { body }),
    ...(querystring !== undefined && { querystring }),
    response: { ...answersOf(operation), ...refusalsOf(operation), default: problemAnswer('A problem') },
  }
}

function problemAnswer(description: string): object {
  return { description, content: { 'application/problem+json': { schema: problem } } }
}

function refusalsOf({ refusals = {} }: Operation): object {
  return Object.fromEntries(Object.entries(refusals).map(([status, when]) => [status, problemAnswer(when)]))
}

/** `GET /flags/:key` becomes `getFlagsKey`. */
function operationIdOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function paramsOf(name: string): z.ZodType {
  const names = [...name.matchAll(/:(\w+)/g)].map(([, param]) => [param, z.string()] as const)
  return z.object(Object.fromEntries(names))
}

function answersOf({ answers }: Operation): object {
  const described = Object.entries(answers).map(([status, answer]) => {
    if (answer === null) return [status, z.null().describe('Done')]
    if (answer instanceof z.ZodType)
      return [status, { description: 'Done', content: { 'application/json': { schema: answer } } }]
    return [status, { description: answer.description, content: { [answer.type]: { schema: z.string() } } }]
  })
  return Object.fromEntries(described)
}
