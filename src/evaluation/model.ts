/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [property: string]: Json }

/** What the author says the values are. Advice for people and SDKs: any value may be of any type. */
export type FlagType = 'boolean' | 'string' | 'number' | 'json'

/** Attributes of the subject an evaluation is for. `targetingKey` names the subject; the rest is free. */
export interface EvaluationContext {
  readonly targetingKey?: string
  readonly [attribute: string]: unknown
}

export type Operator =
  | UnleashOperator
  | 'eq'
  | 'neq'
  | 'in'
  | 'notIn'
  | 'contains'
  | 'notContains'
  | 'startsWith'
  | 'endsWith'
  | 'matches'
  | 'lt'
  | 'lte'
  | 'gt'
  | 'gte'
  | 'between'
  | 'before'
  | 'after'
  | 'semverEq'
  | 'semverNeq'
  | 'semverLt'
  | 'semverLte'
  | 'semverGt'
  | 'semverGte'
  | 'semverRange'
  | 'cidr'
  | 'notCidr'
  | 'exists'
  | 'notExists'
  | 'modulo'
  | 'arrayContainsAny'
  | 'arrayContainsAll'

/** Operators of Unleash whose semantics none of ours has, see foreign/unleash-operators.ts. */
export type UnleashOperator =
  | 'unleash:STR_STARTS_WITH'
  | 'unleash:STR_ENDS_WITH'
  | 'unleash:STR_CONTAINS'
  | 'unleash:NUM_EQ'
  | 'unleash:NUM_GT'
  | 'unleash:NUM_GTE'
  | 'unleash:NUM_LT'
  | 'unleash:NUM_LTE'
  | 'unleash:DATE_AFTER'
  | 'unleash:DATE_BEFORE'
  | 'unleash:SEMVER_EQ'
  | 'unleash:SEMVER_GT'
  | 'unleash:SEMVER_GTE'
  | 'unleash:SEMVER_LT'
  | 'unleash:SEMVER_LTE'
  | 'unleash:REGEX'
  | 'unleash:IN_CIDR'

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly segment: string }
  | { readonly flag: string; readonly variations: readonly string[] }
  | { readonly bucket: BucketCondition }
  /** A JsonLogic expression as flagd understands it; it holds where its result is truthy. */
  | { readonly jsonLogic: Json }
  | {
      readonly attribute: string
      readonly op: Operator
      readonly values?: readonly Json[]
      readonly caseInsensitive?: boolean
    }

/** A share of the subjects; weights are basis points (0-10,000) and sum to 10,000. */
export interface Weight {
  readonly variation: string
  readonly weight: number
}

export interface ScheduleStep {
  /** RFC 3339 date-time from which these weights hold. */
  readonly at: string
  readonly weights: readonly Weight[]
}

/**
 * How subjects are hashed: `flags` is our own way, murmur3_x86_32(utf8(`{subject}:{salt or flag key}`), seed 0) mod 10,000; others are what
 * imported flags bring along, see foreign/. `unleash` says whether a strategy holds, `unleashVariants` which variant it gives.
 */
export type RolloutAlgorithm = 'flags' | 'flagd' | 'unleash' | 'unleashVariants'

/** Puts each subject into one of 10,000 buckets. */
export interface Bucketing {
  /** Default `flags`. */
  readonly algorithm?: RolloutAlgorithm
  /** Attribute whose value is the subject; default `targetingKey`. What is no name of an attribute here, the algorithm's file says. */
  readonly bucketBy?: string
  /** Default the flag's key. */
  readonly salt?: string
  /**
   * For the algorithms that imported flags bring along: the number of parts (1-10,000) into which they hash, which are spread evenly over our
   * 10,000 buckets. It is the sum of the weights there, and stays when the weights here change, so that nobody moves.
   */
  readonly buckets?: number
}

/** Holds for the subjects whose bucket is below `below`. */
export interface BucketCondition extends Bucketing {
  readonly salt: string
  /** 0-10,000. */
  readonly below: number
}

/** Splits subjects by their buckets: weights claim consecutive ranges from 0, in their order. */
export interface Rollout extends Bucketing {
  /**
   * Basis points of the subjects who take part at all; default 10,000. Who takes part is hashed with seed 1, and which variation they get
   * with seed 0, so the two are independent: letting more take part moves nobody to another variation. Who does not take
   * part goes on to the next rule; in the fallthrough they get the off variation.
   */
  readonly coverage?: number
  readonly weights: readonly Weight[]
  /** Ascending by `at`; before the first step `weights` hold. */
  readonly schedule?: readonly ScheduleStep[]
  /** `linear` moves evenly from each step's weights to the next step's. */
  readonly curve?: 'step' | 'linear'
}

/**
 * What is served. A JsonLogic expression, as flagd understands it, gives the name of the variation. Where it gives null, or a rollout of
 * flagd has no subject, the fallthrough is served.
 */
export type Serve = { readonly variation: string } | { readonly rollout: Rollout } | { readonly jsonLogic: Json }

export interface Rule {
  readonly id?: string
  readonly description?: string
  readonly if: Condition
  readonly serve: Serve
}

export interface Prerequisite {
  readonly flag: string
  readonly variations: readonly string[]
}

/** attribute -> value of that attribute -> variation. */
export type Overrides = Readonly<Record<string, Readonly<Record<string, string>>>>

/** What an environment decides; the register `switch` holds `enabled`, the register `targeting` the rest. */
export interface Targeting {
  readonly offVariation?: string
  readonly overrides?: Overrides
  readonly rules?: readonly Rule[]
  readonly fallthrough?: Serve
  readonly prerequisites?: readonly Prerequisite[]
}

export interface EnvironmentSettings extends Targeting {
  readonly enabled?: boolean
}

/** A flag as people write it, complete (defaults filled in). The top level is the environment `default`. */
export interface FlagDefinition extends Targeting {
  readonly key: string
  readonly namespace: string
  readonly type: FlagType
  readonly description?: string
  readonly tags?: readonly string[]
  readonly owner?: string
  readonly variations: Readonly<Record<string, Json>>
  /** What evaluations tell their callers beside the value (OpenFeature's flag metadata). */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>
  readonly enabled: boolean
  readonly environments?: Readonly<Record<string, EnvironmentSettings>>
}

/** A flag as it is read back: with what the server knows of it. */
export interface Flag extends FlagDefinition {
  /** The newest stamp of its registers: versions sort as text. */
  readonly version: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly updatedBy?: string
}

export interface SegmentDefinition {
  readonly key: string
  readonly namespace: string
  readonly description?: string
  readonly included?: readonly string[]
  readonly excluded?: readonly string[]
  readonly if?: Condition
}

export interface Segment extends SegmentDefinition {
  readonly version: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly updatedBy?: string
}

/** As OpenFeature names them. */
export type Reason = 'STATIC' | 'TARGETING_MATCH' | 'SPLIT' | 'DEFAULT' | 'DISABLED' | 'ERROR'
export type EvaluationErrorCode =
  | 'FLAG_NOT_FOUND'
  | 'PARSE_ERROR'
  | 'TYPE_MISMATCH'
  | 'TARGETING_KEY_MISSING'
  | 'INVALID_CONTEXT'
  | 'GENERAL'

export interface Evaluation {
  /** undefined: there is no value to give, the caller's default holds. */
  readonly value: Json | undefined
  readonly variation: string | undefined
  readonly reason: Reason
  /** The rule that decided, where one did. */
  readonly ruleId?: string
  readonly errorCode?: EvaluationErrorCode
  readonly errorDetails?: string
  /** A rollout was reached and its `bucketBy` attribute is missing: the answer is the last weight's, reason DEFAULT. */
  readonly subjectMissing?: true
}
