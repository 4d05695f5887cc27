import type { Condition, Rollout } from '../model.ts'
import { bucketsCount } from '../schedule.ts'
import { allOf, attributeOf, constraintCondition, equals, never } from './unleash-conditions.ts'
import type { UnleashStrategy } from './unleash-document.ts'

/** The condition under which a strategy enables its feature: its constraints, its segments, and what it does itself. */
export function strategyCondition(strategy: UnleashStrategy, segments: ReadonlyMap<number, unknown>): Condition {
  const { constraints, segments: ids, name } = strategy
  const activate = Object.hasOwn(activations, name) ? activations[name] : undefined
  return allOf([
    ...(constraints ?? []).map(constraintCondition),
    ...(ids ?? []).map((id) => (segments.has(id) ? { segment: segmentKey(id) } : never)),
    ...(activate ? activate(parametersOf(strategy)) : [never]),
  ])
}

/** Key of the segment that stands for one of Unleash, whose names need not be unique. */
export function segmentKey(id: number): string {
  return `unleash:${id}`
}

/** A parameter as text, '' where it is missing. */
type Parameters = (name: string) => string

export function parametersOf({ parameters }: UnleashStrategy): Parameters {
  return (name) => String((parameters && Object.hasOwn(parameters, name) ? parameters[name] : '') ?? '')
}

/**
 * What the strategies that Unleash has built in ask beyond constraints: conditions that all must hold. Any other strategy enables nothing, as it
 * does in clients that do not know it. `applicationHostname` asks for the host of the client: here an attribute `hostname`.
 */
const activations: Readonly<Record<string, (parameters: Parameters) => Condition[]>> = {
  default: () => [],
  userWithId: (parameters) => [oneOf('targetingKey', parameters('userIds'))],
  flexibleRollout: (parameters) =>
    share(bucketByOf(parameters('stickiness') || 'default'), parameters('groupId'), parameters('rollout')),
  gradualRolloutUserId: (parameters) => share('targetingKey', parameters('groupId'), parameters('percentage')),
  gradualRolloutSessionId: (parameters) => share('sessionId', parameters('groupId'), parameters('percentage')),
  gradualRolloutRandom: (parameters) => share('random', parameters('groupId'), parameters('percentage')),
  remoteAddress: (parameters) => [remoteAddress(parameters('IPs'))],
  applicationHostname: (parameters) => [oneOf('hostname', parameters('hostNames'), { caseInsensitive: true })],
}

function listOf(text: string): string[] {
  return text === '' ? [] : text.split(/\s*,\s*/)
}

function oneOf(attribute: string, list: string, how: { readonly caseInsensitive?: true } = {}): Condition {
  const values = listOf(list)
  return values.length === 0 ? never : { attribute, op: 'in', values, ...how }
}

/** IPv6 addresses only as they stand. */
function remoteAddress(list: string): Condition {
  const addresses = listOf(list)
  const blocks = addresses.filter((address) => !address.includes(':'))
  return {
    any: [equals('remoteAddress', addresses), { attribute: 'remoteAddress', op: 'unleash:IN_CIDR', values: blocks }],
  }
}

/** `bucketBy` for a stickiness, undefined for `default`. */
export function bucketByOf(stickiness: string): string | undefined {
  return stickiness === 'default' ? undefined : attributeOf(stickiness)
}

/** The first `percentage` of the hundred parts into which Unleash hashes. It has no fractions of them. */
function share(bucketBy: string | undefined, salt: string, percentage: string): Condition[] {
  const below = Math.min(Math.floor(Number(percentage)) * (bucketsCount / 100), bucketsCount)
  if (!(below > 0)) return [never]
  const everybody = bucketBy === undefined || bucketBy === 'random'
  if (below === bucketsCount && everybody) return []
  return [{ bucket: { algorithm: 'unleash', ...(bucketBy === undefined ? {} : { bucketBy }), salt, below } }]
}

/**
 * The rollout that enables a feature for exactly those for whom the condition holds, if it is just a share of everybody: then the
 * percentage can be changed by itself. Without the attribute that it asks for a share has nobody, which a rollout cannot say.
 */
export function shareRollout(condition: Condition, enabled: string, disabled: string): Rollout | undefined {
  if (!('bucket' in condition)) return undefined
  const { below, ...bucketing } = condition.bucket
  if (bucketing.bucketBy !== undefined && bucketing.bucketBy !== 'random') return undefined
  const weights = [
    { variation: enabled, weight: below },
    { variation: disabled, weight: bucketsCount - below },
  ]
  return { ...bucketing, weights }
}
