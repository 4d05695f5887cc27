import { z } from 'zod'
import { keyCharactersMax } from '../base/limits.ts'
import { bucketings } from './bucketing.ts'
import type { Condition, Json, Operator, RolloutAlgorithm } from './model.ts'
import { operators } from './operators.ts'
import { bucketsCount } from './schedule.ts'

/**
 * The shape of flags and segments: of the documents that people write, and of what registers hold. Unknown properties are refused
 * by name. What the shape cannot say (that a rule serves a variation which exists) is found by compiling.
 */

/** Characters of a text that people read: descriptions. */
const descriptionCharactersMax = 4_096
/** Characters of a name that is not a key: variations, rules, tags, attributes, override values, owners, salts. */
const nameCharactersMax = 256

/** Segment, namespace and environment keys. Not `.` or `..`, which no URL can name. */
export const keySchema = z
  .string()
  .regex(
    new RegExp(`^(?!\\.\\.?$)[A-Za-z0-9._\\-/:]{1,${keyCharactersMax}}$`),
    `must be 1-${keyCharactersMax} characters of letters, digits, ".", "_", "-", "/", ":"`,
  )

/**
 * Flag keys: letters and digits of any language, and pictures too, since flags that come from other servers must keep their names. In
 * ASCII a key may have as many characters as any other; a longer one would make the keys of its registers too long.
 */
const flagKeySchema = z
  .string()
  .regex(
    /^(?!\.\.?$)[\p{L}\p{M}\p{N}\p{So}._\-/:]+$/u,
    `must be 1-${keyCharactersMax} characters of letters, digits, ".", "_", "-", "/", ":"`,
  )
  .refine(
    (key) => new TextEncoder().encode(key).length <= keyCharactersMax,
    `must be at most ${keyCharactersMax} bytes of UTF-8`,
  )

// A name may be in any language; a control character in it is a mistake or an attack on a log.
const nameSchema = z
  .string()
  .regex(
    new RegExp(`^\\P{Cc}{1,${nameCharactersMax}}$`, 'u'),
    `must be 1-${nameCharactersMax} characters without control characters`,
  )
const descriptionSchema = z.string().max(descriptionCharactersMax)
// Numbers out of range, deep nesting and the like are refused before a schema sees them, see findIllFormed.
const jsonSchema = z.unknown() as z.ZodType<unknown> as z.ZodType<Json>
const instantSchema = z.string().meta({ format: 'date-time' })

// An unknown operator has the right shape: it makes no sense (422), and costs a merged flag just the contexts that reach it.
const operatorSchema = z.string().meta({ enum: Object.keys(operators) }) as z.ZodType<string> as z.ZodType<Operator>
const algorithmSchema = z.enum(Object.keys(bucketings) as [RolloutAlgorithm, ...RolloutAlgorithm[]])

const bucketingShape = {
  algorithm: algorithmSchema.optional(),
  bucketBy: nameSchema.optional(),
  salt: z.string().max(nameCharactersMax).optional(),
  buckets: z.int().min(1).max(bucketsCount).optional(),
}

export const conditionSchema: z.ZodType<Condition> = z
  .union([
    z.strictObject({
      attribute: nameSchema,
      op: operatorSchema,
      values: z.array(jsonSchema).optional(),
      caseInsensitive: z.boolean().optional(),
    }),
    z.strictObject({
      get all() {
        return z.array(conditionSchema)
      },
    }),
    z.strictObject({
      get any() {
        return z.array(conditionSchema)
      },
    }),
    z.strictObject({
      get not() {
        return conditionSchema
      },
    }),
    z.strictObject({ segment: keySchema }),
    z.strictObject({ flag: flagKeySchema, variations: z.array(nameSchema) }),
    z.strictObject({
      bucket: z.strictObject({
        ...bucketingShape,
        salt: bucketingShape.salt.unwrap(),
        below: z.int().min(0).max(bucketsCount),
      }),
    }),
    z.strictObject({ jsonLogic: jsonSchema }),
  ])
  .meta({ id: 'Condition' })

const weightsSchema = z
  .array(z.strictObject({ variation: nameSchema, weight: z.int().min(0).max(bucketsCount) }))
  .min(1)

const rolloutSchema = z.strictObject({
  ...bucketingShape,
  coverage: z.int().min(0).max(bucketsCount).optional(),
  weights: weightsSchema,
  schedule: z.array(z.strictObject({ at: instantSchema, weights: weightsSchema })).optional(),
  curve: z.enum(['step', 'linear']).optional(),
})

export const serveSchema = z
  .union([
    z.strictObject({ variation: nameSchema }),
    z.strictObject({ rollout: rolloutSchema }),
    z.strictObject({ jsonLogic: jsonSchema }),
  ])
  .meta({ id: 'Serve' })

const ruleSchema = z.strictObject({
  id: nameSchema.optional(),
  description: descriptionSchema.optional(),
  if: conditionSchema,
  serve: serveSchema,
})

const targetingShape = {
  offVariation: nameSchema.optional(),
  overrides: z.record(nameSchema, z.record(z.string().min(1).max(nameCharactersMax), nameSchema)).optional(),
  rules: z.array(ruleSchema).optional(),
  fallthrough: serveSchema.optional(),
  prerequisites: z.array(z.strictObject({ flag: flagKeySchema, variations: z.array(nameSchema).min(1) })).optional(),
}

const definitionShape = {
  type: z.enum(['boolean', 'string', 'number', 'json']),
  description: descriptionSchema.optional(),
  tags: z.array(nameSchema).optional(),
  owner: nameSchema.optional(),
  metadata: z.record(nameSchema, z.union([z.string(), z.number(), z.boolean()])).optional(),
  variations: z.record(nameSchema, jsonSchema),
}

const segmentShape = {
  description: descriptionSchema.optional(),
  included: z.array(z.string()).optional(),
  excluded: z.array(z.string()).optional(),
  if: conditionSchema.optional(),
}

// --- what registers hold

export const definitionRegisterSchema = z.strictObject(definitionShape)
export const switchRegisterSchema = z.strictObject({ enabled: z.boolean() })
export const targetingRegisterSchema = z.strictObject(targetingShape)
export const segmentRegisterSchema = z.strictObject(segmentShape)

// --- what people write

/** The server's own knowledge of a thing: accepted and ignored, so that what GET gives can be PUT back. */
const readOnlyShape = {
  version: z.string().optional(),
  createdAt: z.string().optional(),
  updatedAt: z.string().optional(),
  updatedBy: z.string().optional(),
}

/** 0-100 in steps of 0.01. */
const percentageSchema = z
  .number()
  .min(0)
  .max(100)
  .refine((percentage) => Math.abs(percentage * 100 - Math.round(percentage * 100)) < 1e-6, 'must be in steps of 0.01')

const shortForms = { rolloutPercentage: percentageSchema.optional(), rollout_percentage: percentageSchema.optional() }

/** A flag as people send it. */
export const flagDocumentSchema = z
  .strictObject({
    key: flagKeySchema,
    namespace: keySchema.optional(),
    ...definitionShape,
    type: definitionShape.type.optional(),
    variations: definitionShape.variations.optional(),
    enabled: z.boolean().optional(),
    ...targetingShape,
    ...shortForms,
    environments: z
      .record(keySchema, z.strictObject({ enabled: z.boolean().optional(), ...targetingShape, ...shortForms }))
      .optional(),
    ...readOnlyShape,
  })
  .meta({ id: 'FlagDocument' })

/** A segment as people send it. */
export const segmentDocumentSchema = z
  .strictObject({ key: keySchema, namespace: keySchema.optional(), ...segmentShape, ...readOnlyShape })
  .meta({ id: 'SegmentDocument' })

export type FlagDocument = z.infer<typeof flagDocumentSchema>
export type SegmentDocument = z.infer<typeof segmentDocumentSchema>
