import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { getVariant, importUnleash, isEnabled, type UnleashContext, type VariantAnswer } from './unleash-answers.ts'

/** The cases that Unleash gives to whoever writes a client: https://github.com/Unleash/client-specification */
interface Specification {
  readonly name: string
  readonly state: unknown
  readonly tests?: readonly Case<boolean>[]
  readonly variantTests?: readonly Case<VariantAnswer>[]
}

interface Case<Answer> {
  readonly description: string
  readonly context: UnleashContext
  readonly toggleName: string
  readonly expectedResult: Answer
}

const directory = createRequire(import.meta.url).resolve('@unleash/client-specification/specifications/index.json')
const read = (file: string) => JSON.parse(readFileSync(new URL(file, `file://${directory}`), 'utf8'))
const specifications: Specification[] = read('index.json').map(read)
const nowMs = Date.UTC(2026, 0, 1)

for (const { name, state, tests = [], variantTests = [] } of specifications) {
  const ruleset = importUnleash(state)
  test.each(tests)(`${name}: $description`, ({ toggleName, context, expectedResult }) => {
    expect(isEnabled(ruleset, toggleName, context, nowMs)).toBe(expectedResult)
  })
  test.each(variantTests)(`${name}: $description (variant)`, ({ toggleName, context, expectedResult }) => {
    expect(getVariant(ruleset, toggleName, context, nowMs)).toEqual(expectedResult)
  })
}

test('the specification has the 279 cases that are asked here', () => {
  const cases = specifications.flatMap(({ tests = [], variantTests = [] }) => [...tests, ...variantTests])
  expect(cases).toHaveLength(279)
})
