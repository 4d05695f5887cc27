import type { Json, Rollout, Rule, Serve } from '../model.ts'
import { bucketsCount } from '../schedule.ts'
import { attributeOf, conditionOf } from './flagd-conditions.ts'
import { type PartShare, weightsOfParts } from './parts.ts'

/**
 * The rules that say what a `targeting` of flagd says: one for each branch of an `if` at its top, or else a single one. Where they give
 * nothing, the fallthrough holds, as flagd's default variant does.
 */
export function rulesOf(targeting: Json): Rule[] {
  const branches = branchesOf(targeting)
  if (!branches) return [{ if: { all: [] }, serve: serveOf(targeting) }]
  const rules: Rule[] = []
  for (let i = 0; i + 1 < branches.length; i += 2)
    rules.push({ if: conditionOf(branches[i] as Json), serve: serveOf(branches[i + 1] as Json) })
  const otherwise = branches.length % 2 === 1 ? (branches.at(-1) ?? null) : null
  if (otherwise !== null) rules.push({ if: { all: [] }, serve: serveOf(otherwise) })
  return rules
}

function branchesOf(targeting: Json): Json[] | undefined {
  if (typeof targeting !== 'object' || targeting === null || Array.isArray(targeting)) return undefined
  const { if: branches, ...others } = targeting
  return Array.isArray(branches) && branches.length > 1 && Object.keys(others).length === 0 ? branches : undefined
}

function serveOf(result: Json): Serve {
  if (typeof result === 'string' || typeof result === 'number' || typeof result === 'boolean')
    return { variation: String(result) }
  const rollout = rolloutOf(result)
  return rollout ? { rollout } : { jsonLogic: result }
}

/** The rollout that gives everybody what a `fractional` does, if its shares are constants and its text is one that a rollout hashes. */
function rolloutOf(result: Json): Rollout | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined
  const { fractional, ...others } = result
  if (!Array.isArray(fractional) || Object.keys(others).length > 0) return undefined
  const bucketBy = bucketByOf(fractional[0])
  const shares = (bucketBy === undefined ? fractional : fractional.slice(1)).map(shareOf)
  if (!shares.every((share) => share !== undefined)) return undefined
  const found = weightsOfParts(shares)
  if (!found) return undefined
  const { weights, parts } = found
  return {
    algorithm: 'flagd',
    ...(bucketBy === undefined ? {} : { bucketBy }),
    // Where the ends fall on whole buckets, finer buckets part the subjects at the same places.
    ...(bucketsCount % parts === 0 ? {} : { buckets: parts }),
    weights,
  }
}

/** The attribute of `{"cat": [{"var": "$flagd.flagKey"}, {"var": attribute}]}`. */
function bucketByOf(text: Json | undefined): string | undefined {
  const joined = typeof text === 'object' && text !== null && !Array.isArray(text) ? text.cat : undefined
  if (!Array.isArray(joined) || joined.length !== 2) return undefined
  const [key, attribute] = joined as [Json, Json]
  return JSON.stringify(key) === '{"var":"$flagd.flagKey"}' ? attributeOf(attribute) : undefined
}

/** A weight below 0 counts as 0, and none as 1. */
function shareOf(entry: Json): PartShare | undefined {
  if (!Array.isArray(entry) || entry.length === 0 || entry.length > 2) return undefined
  const [variation, weight = 1] = entry
  if (typeof variation !== 'string' && typeof variation !== 'number' && typeof variation !== 'boolean') return undefined
  if (typeof weight !== 'number' || !Number.isInteger(weight)) return undefined
  return { variation: String(variation), parts: Math.max(0, weight) }
}
