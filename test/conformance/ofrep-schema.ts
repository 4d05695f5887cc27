import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'

/** A schema of the document, by its name under components.schemas. */
export type SchemaName =
  | 'serverEvaluationSuccess'
  | 'evaluationFailure'
  | 'flagNotFound'
  | 'bulkEvaluationSuccess'
  | 'bulkEvaluationFailure'
  | 'sseEvent'
  | 'sseEventData'

/**
 * Checks answers against `openapi.yaml` of OFREP 0.3. As published it refuses ordinary answers, so it is read with three
 * changes: the `oneOf` of values as `anyOf` (an integer is a float too, and every value is an object without further demands),
 * `DEFAULT` among the reasons, and FLAG_NOT_FOUND among the failures of a bulk. Returns what is wrong, '' for nothing.
 */
export function createOfrepValidator(): (name: SchemaName, answer: unknown) => string {
  const document = parse(readFileSync(new URL('ofrep/openapi.yaml', import.meta.url), 'utf8')) as OpenApi
  const { evaluationSuccess, evaluationFailure } = document.components.schemas
  const [properties, values] = evaluationSuccess.allOf
  properties.properties.reason.enum.push('DEFAULT')
  evaluationSuccess.allOf[1] = { anyOf: values.oneOf }
  evaluationFailure.properties.errorCode.enum.push('FLAG_NOT_FOUND')
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'ofrep')
  return (name, answer) => {
    const validate = ajv.getSchema(`ofrep#/components/schemas/${name}`)
    if (!validate) throw new Error(`openapi.yaml has no schema ${name}`)
    return validate(answer) ? '' : ajv.errorsText(validate.errors)
  }
}

interface OpenApi {
  readonly components: {
    readonly schemas: {
      readonly evaluationSuccess: {
        readonly allOf: [
          { readonly properties: { readonly reason: { readonly enum: string[] } } },
          { oneOf?: object[]; anyOf?: object[] },
        ]
      }
      readonly evaluationFailure: { readonly properties: { readonly errorCode: { readonly enum: string[] } } }
    }
  }
}
