import type { RealNode } from './real-node.ts'

const weights = [
  { variation: 'on', weight: 5_000 },
  { variation: 'off', weight: 5_000 },
]
const german = { attribute: 'country', op: 'eq', values: ['DE'] }

/** One flag for each kind of value, reason and failure that OFREP knows. */
export const ofrepFlags = [
  { key: 'static', enabled: true },
  {
    key: 'shop/ruled',
    enabled: true,
    rules: [{ id: 'de', if: german, serve: { variation: 'on' } }],
    fallthrough: { variation: 'off' },
  },
  { key: 'split', enabled: true, fallthrough: { rollout: { weights } } },
  {
    key: 'text',
    enabled: true,
    type: 'string',
    variations: { x: 'hello', y: 'world' },
    fallthrough: { variation: 'x' },
  },
  { key: 'whole', enabled: true, type: 'number', variations: { x: 7 }, fallthrough: { variation: 'x' } },
  { key: 'fraction', enabled: true, type: 'number', variations: { x: 0.5 }, fallthrough: { variation: 'x' } },
  {
    key: 'object',
    enabled: true,
    type: 'json',
    variations: { x: { a: [1, { b: null }] } },
    fallthrough: { variation: 'x' },
  },
  { key: 'disabled' },
  { key: 'valueless', type: 'string', variations: { x: 'never' }, fallthrough: { variation: 'x' } },
] as const

export async function writeOfrepFlags(node: RealNode): Promise<void> {
  await node.call('POST', '/import', { flags: ofrepFlags })
}
