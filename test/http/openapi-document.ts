import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

export interface Schema {
  readonly [keyword: string]: unknown
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

interface Body {
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>
}

export interface DocumentedOperation {
  /** `GET /flags/{key}`. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: Body
  readonly responses: Readonly<Record<string, Partial<Body>>>
}

export interface OpenApi {
  readonly operations: readonly DocumentedOperation[]
  resolve(schema: Schema): Schema
  /** What an answer has against the document; '' for nothing. */
  faultOf(operation: DocumentedOperation, status: number, contentType: string, body: string): string
}

/** What any operation may answer; all else it must name. */
const refusalsOfAll: ReadonlySet<number> = new Set([400, 401, 403, 413, 415, 429, 500, 503])

/** Reads an OpenAPI 3.1 document, as far as ours goes. Throws where it does not make sense. */
export function readOpenApi(text: string): OpenApi {
  const document = JSON.parse(text)
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'api')
  const validators = new Map<Schema, ValidateFunction>()

  function validatorOf(schema: Schema): ValidateFunction {
    const held = validators.get(schema)
    if (held) return held
    // References are from the root of the document, so each schema is compiled as if it stood there.
    const made = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')))
    validators.set(schema, made)
    return made
  }

  const operations = Object.entries<Record<string, Omit<DocumentedOperation, 'name' | 'method' | 'path'>>>(
    document.paths,
  ).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): DocumentedOperation => {
      const upper = method.toUpperCase() as DocumentedOperation['method']
      return { ...operation, parameters: operation.parameters ?? [], name: `${upper} ${path}`, method: upper, path }
    }),
  )

  return {
    operations,

    resolve(schema) {
      const { $ref } = schema
      if (typeof $ref !== 'string') return schema
      const found = $ref
        .slice(2)
        .split('/')
        .reduce((node, part) => node?.[part], document)
      if (found === undefined) throw new Error(`${$ref} is not in the document`)
      return found as Schema
    },

    faultOf({ responses }, status, contentType, body) {
      const answer = responses[status] ?? (refusalsOfAll.has(status) ? responses.default : undefined)
      if (!answer) return `the status ${status} is not documented`
      if (!answer.content) return body === '' ? '' : 'there should be no body'
      const type = contentType.split(';')[0] ?? ''
      // Beside its own failures OFREP leaves 401, 403, 413, 415 and 429 to HTTP.
      const media = answer.content[type] ?? (status >= 400 ? responses.default?.content?.[type] : undefined)
      if (!media) return `the type ${type} is not documented for ${status}`
      const validate = validatorOf(media.schema)
      return validate(type.endsWith('json') ? JSON.parse(body) : body) ? '' : ajv.errorsText(validate.errors)
    },
  }
}
