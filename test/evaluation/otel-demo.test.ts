import { expect, test } from 'vitest'
import flagd from '../data/otel-demo.flagd.json' with { type: 'json' }
import demo from '../data/otel-demo.flags.json' with { type: 'json' }
import { rulesetOf } from './testbed.ts'

test('the sixteen flags of the OpenTelemetry demo answer what flagd answers by default', () => {
  const ruleset = rulesetOf(demo.flags)
  expect(ruleset.all('default', 'default')).toHaveLength(16)
  expect(ruleset.size()).toEqual({ flags: 16, segments: 0, faults: 0 })
  for (const [key, { variants, defaultVariant }] of Object.entries(flagd.flags)) {
    const evaluation = ruleset.find('default', 'default', key)?.evaluate({ targetingKey: 'user-1' }, 0)
    expect(evaluation).toMatchObject({
      variation: defaultVariant,
      value: (variants as Record<string, unknown>)[defaultVariant],
    })
    expect(['STATIC', 'DEFAULT']).toContain(evaluation?.reason)
  }
})

test('the one flag of the demo with a rule looks at the product', () => {
  const flag = rulesetOf(demo.flags).find('default', 'default', 'productCatalogFailure')
  expect(flag?.evaluate({ product_id: 'OLJCESPC7Z' }, 0)).toEqual({
    value: false,
    variation: 'off',
    reason: 'TARGETING_MATCH',
    ruleId: 'one-product',
  })
  expect(flag?.evaluate({ product_id: 'other' }, 0).reason).toBe('DEFAULT')
})
