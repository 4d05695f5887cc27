import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as limits from '../../src/base/limits.ts'
import { foreignToDocument } from '../../src/catalog/foreign-import.ts'
import { bucketOf } from '../../src/evaluation/bucketing.ts'
import type { EvaluationContext } from '../../src/evaluation/model.ts'
import { operators } from '../../src/evaluation/operators.ts'
import { evaluate } from './testbed.ts'

const text = readFileSync(new URL('../../docs/evaluation.md', import.meta.url), 'utf8')

interface Example {
  readonly flag?: object
  readonly context?: EvaluationContext
  readonly answer?: object
  readonly flagd?: unknown
  readonly becomes?: object
}

const examples = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]): Example => JSON.parse(json as string))
const evaluations = examples.filter(({ answer }) => answer)
const imports = examples.filter(({ becomes }) => becomes)
const rows = [...text.matchAll(/^\| `(\{.*\})` \| (\w+) \| `(\w+)` \|/gm)].map(([, context, variation, reason]) => [
  JSON.parse(context as string) as EvaluationContext,
  variation,
  reason,
])

test('the examples of the documentation answer what stands there', () => {
  expect(evaluations.length).toBeGreaterThan(1)
  for (const { flag = {}, context = {}, answer } of evaluations) expect(evaluate(flag, context)).toEqual(answer)
  for (const { flagd, becomes } of imports)
    expect(foreignToDocument('flagd', flagd, 'default').flags).toEqual([becomes])
})

test('the first flag of the documentation answers the contexts in its table', () => {
  expect(rows).toHaveLength(4)
  const answers = rows.map(([context]) => evaluate(evaluations[0]?.flag ?? {}, context as EvaluationContext))
  expect(answers.map(({ variation, reason }) => [variation, reason])).toEqual(rows.map(([, ...answer]) => answer))
})

test('the documentation names every operator of our own', () => {
  const own = Object.keys(operators).filter((op) => !op.startsWith('unleash:'))
  expect(own.filter((op) => !text.includes(`\`${op}\``))).toEqual([])
})

test('the buckets and limits of the documentation are those in force', () => {
  const bucket = bucketOf('new-checkout')
  expect([bucket('user-1'), bucket('user-2')]).toEqual([9_248, 5_002])
  const named = [
    limits.flagBytesMax,
    limits.conditionsMax,
    limits.conditionDepthMax,
    limits.segmentBytesMax,
    limits.referenceDepthMax,
    limits.jsonLogicStepsMax,
    limits.contextBytesMax,
    limits.contextAttributesMax,
    limits.contextDepthMax,
    limits.batchRequestsMax,
  ]
  const section = text.slice(text.indexOf('## Limits'), text.indexOf('## Imports'))
  expect(named.filter((limit) => !section.includes(limit.toLocaleString('en')))).toEqual([])
})
