import { expect, test } from 'vitest'
import type { FlagDefinition } from '../../src/evaluation/model.ts'
import { parseFlag, parseSegment } from '../../src/evaluation/parse.ts'
import {
  changedRegisters,
  changedSegmentRegisters,
  flagRegisterKeys,
  type Life,
  parseRegisterKey,
  type RegisterWrite,
  splitFlag,
  splitSegment,
} from '../../src/evaluation/registers.ts'
import { createRuleset, type RegisterValue } from '../../src/evaluation/ruleset.ts'
import { created, createdSegment, stamp, stamped } from './testbed.ts'

const text = (write: RegisterWrite | undefined) => write?.value && JSON.parse(new TextDecoder().decode(write.value))
const flagOf = (more: object = {}) => parseFlag('default', { key: 'f', enabled: true, ...more })
const newborn: Life = { birth: '', ended: '' }

/** The map that replicas converge to: of each register the write with the newest stamp. */
function merged(...writes: readonly RegisterValue[][]): RegisterValue[] {
  const winners = new Map<string, RegisterValue>()
  for (const write of writes.flat()) {
    const held = winners.get(write.key)
    if (!held || write.stamp > held.stamp) winners.set(write.key, write)
  }
  return [...winners.values()]
}

function rulesetFrom(...writes: readonly RegisterValue[][]) {
  const ruleset = createRuleset()
  ruleset.apply(merged(...writes))
  return ruleset
}

function edited(before: FlagDefinition, after: FlagDefinition, life: Life, at: string): RegisterValue[] {
  return stamped(changedRegisters(before, after, life), at)
}

function deleted(definition: FlagDefinition, at: string): RegisterValue[] {
  return flagRegisterKeys(definition).map((key) => ({ key, stamp: at, value: null }))
}

test('a flag is a register for its definition, and a switch and a targeting for each environment', () => {
  const flag = flagOf({ tags: ['x'], environments: { qa: { enabled: false }, eu: { rules: [] } } })
  const writes = new Map(splitFlag(flag, { ...newborn, by: 'ann' }).map((write) => [write.key, text(write)]))
  const header = { schema: 1, birth: '', ended: '', by: 'ann' }
  expect(Object.fromEntries(writes)).toEqual({
    'flag|default|f|definition': {
      ...header,
      data: { type: 'boolean', tags: ['x'], variations: { on: true, off: false } },
    },
    'flag|default|f|switch|default': { ...header, data: { enabled: true } },
    'flag|default|f|targeting|default': { ...header, data: { offVariation: 'off', fallthrough: { variation: 'on' } } },
    'flag|default|f|switch|qa': { ...header, data: { enabled: false } },
    'flag|default|f|targeting|qa': { ...header, data: {} },
    'flag|default|f|targeting|eu': { ...header, data: { rules: [] } },
  })
  expect(flagRegisterKeys(flag)).toEqual([...writes.keys()])
})

test('an edit writes only the registers that differ, and deletes those of an environment that is no more', () => {
  const before = flagOf({ environments: { qa: { enabled: false } } })
  const changed = (after: FlagDefinition) =>
    changedRegisters(before, after, newborn).map(({ key, value }) => [key, value !== null])
  expect(changed(before)).toEqual([])
  expect(changed({ ...before, enabled: false })).toEqual([['flag|default|f|switch|default', true]])
  expect(changed({ ...before, description: 'd' })).toEqual([['flag|default|f|definition', true]])
  expect(changed({ ...before, rules: [] })).toEqual([['flag|default|f|targeting|default', true]])
  expect(changed({ ...before, environments: { qa: {} } })).toEqual([['flag|default|f|switch|qa', false]])
  expect(changed({ ...before, environments: undefined })).toEqual([
    ['flag|default|f|switch|qa', false],
    ['flag|default|f|targeting|qa', false],
  ])
})

test('register keys are read back, and those of other things are not ours', () => {
  for (const key of flagRegisterKeys(flagOf({ environments: { 'a/b': { enabled: true } } }))) {
    expect(parseRegisterKey(key)).toMatchObject({ kind: 'flag', namespace: 'default', key: 'f' })
  }
  expect(parseRegisterKey('segment|ns|s')).toEqual({ kind: 'segment', namespace: 'ns', key: 's' })
  for (const key of [
    '',
    'flag|a|b',
    'flag|a|b|other',
    'flag|a|b|switch',
    'flag|a|b|definition|x',
    'flag||b|definition',
    'segment|a|b|c',
    'log|a|flag|b|c',
    'flag|a|b|switch|e|x',
  ]) {
    expect(parseRegisterKey(key), key).toBeUndefined()
  }
})

test('a flag is what its registers say, with the newest stamp as its version', () => {
  const before = flagOf()
  const ruleset = rulesetFrom(created(before, stamp(1)))
  const life = ruleset.life('flag', 'default', 'f')
  expect(life).toEqual({ birth: stamp(1), ended: '' })
  const writes = changedRegisters(before, { ...before, enabled: false }, { ...life, by: 'bob' })
  const change = ruleset.apply(stamped(writes, stamp(2)))
  expect([...(change.namespaces.get('default')?.flags ?? [])]).toEqual([['f', stamp(2)]])
  expect(ruleset.flag('default', 'f')).toEqual({
    ...before,
    enabled: false,
    version: stamp(2),
    createdAt: '2026-01-01T00:00:00.001Z',
    updatedAt: '2026-01-01T00:00:00.002Z',
    updatedBy: 'bob',
  })
})

test('a switch thrown at one node and rules edited at another both hold', () => {
  const flag = flagOf()
  const life = { birth: stamp(1), ended: '' }
  const off = edited(flag, { ...flag, enabled: false }, life, stamp(5, 'a'))
  const ruled = edited(flag, { ...flag, fallthrough: { variation: 'off' } }, life, stamp(4, 'b'))
  expect(rulesetFrom(created(flag), off, ruled).flag('default', 'f')).toMatchObject({
    enabled: false,
    fallthrough: { variation: 'off' },
  })
})

test('a flag is there once its definition, switch and targeting are, in whatever order they come', () => {
  const registers = created(flagOf())
  for (const last of registers) {
    const ruleset = createRuleset()
    ruleset.apply(registers.filter((register) => register !== last))
    expect(ruleset.find('default', 'default', 'f')).toBeUndefined()
    expect(ruleset.flags('default')).toEqual([])
    ruleset.apply([last])
    expect(ruleset.find('default', 'default', 'f')?.evaluate({}, 0).value).toBe(true)
  }
})

test('a deleted flag is gone, and reports it', () => {
  const flag = flagOf({ environments: { qa: { enabled: false } } })
  const ruleset = rulesetFrom(created(flag))
  const change = ruleset.apply(deleted(flag, stamp(2)))
  expect([...(change.namespaces.get('default')?.flags ?? [])]).toEqual([['f', null]])
  expect(ruleset.flag('default', 'f')).toBeUndefined()
  expect(ruleset.find('default', 'qa', 'f')).toBeUndefined()
  expect(ruleset.namespaces()).toEqual([])
  expect(ruleset.apply(deleted(flag, '')).namespaces.size).toBe(0)
  expect(ruleset.life('flag', 'default', 'f')).toEqual(newborn)
})

test('a partial edit that is newer than a delete it has not seen does not bring the flag back, nor when the tombstones expire', () => {
  const flag = flagOf()
  const life = { birth: stamp(1), ended: '' }
  const gone = deleted(flag, stamp(5))
  for (const after of [
    { ...flag, description: 'd' },
    { ...flag, enabled: false },
    { ...flag, rules: [] },
  ]) {
    const ruleset = rulesetFrom(created(flag), gone, edited(flag, after, life, stamp(6, 'b')))
    expect(ruleset.flag('default', 'f')).toBeUndefined()
    ruleset.apply(
      merged(gone, edited(flag, after, life, stamp(6, 'b'))).flatMap(({ key, value }) =>
        value ? [] : [{ key, stamp: '', value }],
      ),
    )
    expect(ruleset.flag('default', 'f')).toBeUndefined()
  }
})

test('rules edited in an earlier life do not haunt the flag that was created anew', () => {
  const old = flagOf({ environments: { qa: { fallthrough: { variation: 'on' } } } })
  const before = rulesetFrom(created(old), deleted(old, stamp(5)))
  const life = before.life('flag', 'default', 'f')
  expect(life).toEqual({ birth: '', ended: stamp(5) })
  const anew = flagOf({ fallthrough: { variation: 'off' }, environments: { eu: {} } })
  const rebirth = stamped(splitFlag(anew, life), stamp(6))
  const oldEdit = { ...old, environments: { qa: { fallthrough: { variation: 'off' } } } }
  const haunting = edited(old, oldEdit, { birth: stamp(1), ended: '' }, stamp(9, 'b'))
  const ruleset = rulesetFrom(created(old), deleted(old, stamp(5)), rebirth, haunting)
  expect(ruleset.flag('default', 'f')).toMatchObject({
    ...anew,
    version: stamp(9, 'b'),
    createdAt: '2026-01-01T00:00:00.006Z',
  })
  expect(ruleset.flag('default', 'f')?.environments).toEqual({ eu: {} })
  expect(ruleset.life('flag', 'default', 'f')).toEqual({ birth: stamp(6), ended: stamp(5) })
})

test('a default switch or targeting of an earlier life is off and nothing, and the flag says so', () => {
  const flag = flagOf()
  const life = { birth: stamp(1), ended: '' }
  const base = [
    created(flag),
    deleted(flag, stamp(5)),
    stamped(splitFlag(flag, { birth: '', ended: stamp(5) }), stamp(6)),
  ]
  const switched = rulesetFrom(...base, edited({ ...flag, enabled: false }, flag, life, stamp(9, 'b'))).find(
    'default',
    'default',
    'f',
  )
  expect(switched?.evaluate({}, 0).reason).toBe('DISABLED')
  expect(switched?.fault).toContain('switch is of an earlier life')
  const targeted = rulesetFrom(...base, edited(flag, { ...flag, rules: [] }, life, stamp(9, 'b'))).find(
    'default',
    'default',
    'f',
  )
  expect(targeted?.evaluate({}, 0)).toEqual({ value: undefined, variation: undefined, reason: 'DEFAULT' })
  expect(targeted?.fault).toContain('targeting is of an earlier life')
})

test('a definition edited in an earlier life does not make the flag that was created anew vanish', () => {
  const flag = flagOf()
  const rebirth = stamped(splitFlag(flagOf({ enabled: false }), { birth: '', ended: stamp(5) }), stamp(6))
  const stale = edited(flag, { ...flag, description: 'stale' }, { birth: stamp(1), ended: '' }, stamp(9, 'b'))
  const ruleset = rulesetFrom(created(flag), deleted(flag, stamp(5)), rebirth, stale)
  expect(ruleset.flag('default', 'f')).toMatchObject({ description: 'stale', enabled: false })
  expect(ruleset.find('default', 'default', 'f')?.fault).toBe('the definition is of an earlier life')
  const life = ruleset.life('flag', 'default', 'f')
  expect(life).toEqual({ birth: stamp(6), ended: stamp(5) })
  ruleset.apply(stamped(splitFlag(flag, life), stamp(10)))
  expect(ruleset.find('default', 'default', 'f')).toMatchObject({ fault: '', version: stamp(10) })
})

test('two creations that did not know of each other are one flag, of which each register is its last write', () => {
  const [one, two] = [flagOf({ description: 'one' }), flagOf({ description: 'two', enabled: false })]
  const ruled = edited(one, { ...one, fallthrough: { variation: 'off' } }, { birth: stamp(1), ended: '' }, stamp(8))
  const ruleset = rulesetFrom(created(one, stamp(1)), created(two, stamp(3, 'b')), ruled)
  expect(ruleset.flag('default', 'f')).toMatchObject({
    description: 'two',
    enabled: false,
    fallthrough: { variation: 'off' },
    version: stamp(8),
  })
  expect(ruleset.find('default', 'default', 'f')?.fault).toBe('')
})

test('taking an environment away changes the version', () => {
  const before = flagOf({ environments: { qa: { enabled: false } } })
  const ruleset = rulesetFrom(created(before))
  ruleset.apply(edited(before, { ...before, environments: undefined }, ruleset.life('flag', 'default', 'f'), stamp(3)))
  expect(ruleset.flag('default', 'f')?.version).toBe(stamp(3))
  expect(ruleset.flag('default', 'f')?.environments).toBeUndefined()
  expect(ruleset.find('default', 'qa', 'f')).toMatchObject({ environment: 'default', constant: true })
})

test('segments are registers of their own', () => {
  const segment = parseSegment('default', { key: 's', included: ['a'] })
  const ruleset = createRuleset()
  const change = ruleset.apply(createdSegment(segment))
  expect([...(change.namespaces.get('default')?.segments ?? [])]).toEqual([['s', stamp(1)]])
  expect(ruleset.segments('default')).toEqual([ruleset.segment('default', 's')])
  const life = ruleset.life('segment', 'default', 's')
  expect(life.birth).toBe(stamp(1))
  ruleset.apply(stamped(changedSegmentRegisters(segment, { ...segment, included: ['b'] }, life), stamp(2)))
  expect(ruleset.segment('default', 's')).toMatchObject({
    included: ['b'],
    version: stamp(2),
    createdAt: '2026-01-01T00:00:00.001Z',
  })
  ruleset.apply([{ key: 'segment|default|s', stamp: stamp(3), value: null }])
  expect(ruleset.segment('default', 's')).toBeUndefined()
  expect(splitSegment(segment, newborn)).toHaveLength(1)
})

const register = (key: string, content: unknown, at = stamp(9)): RegisterValue => {
  const bytes = typeof content === 'string' ? content : JSON.stringify(content)
  return { key, stamp: at, value: new TextEncoder().encode(bytes) }
}
const header = { schema: 1, birth: stamp(1), ended: '' }

test('a register of a newer schema leaves this node with its last good form, and it says so', () => {
  const flag = flagOf()
  const ruleset = rulesetFrom(created(flag))
  ruleset.apply([
    register('flag|default|f|targeting|default', { ...header, schema: 2, data: { rules: 'of tomorrow' } }),
  ])
  const found = ruleset.find('default', 'default', 'f')
  expect(found?.evaluate({}, 0).value).toBe(true)
  expect(found?.fault).toBe('schema 2 is newer than this node, which knows 1')
  expect(found?.version).toBe(stamp(9))
  expect(ruleset.size()).toEqual({ flags: 1, segments: 0, faults: 1 })
  const unseen = rulesetFrom(created(flag), [
    register('flag|default|f|targeting|default', { ...header, schema: 2, data: 1 }),
  ])
  expect(unseen.find('default', 'default', 'f')?.evaluate({}, 0).errorCode).toBe('PARSE_ERROR')
})

const garbage: [name: string, content: unknown][] = [
  ['no JSON', '{"schema":1,'],
  ['no object', '7'],
  ['no envelope', { data: {} }],
  ['no data', header],
  ['the wrong shape', { ...header, data: { rules: [{ if: 5 }], enabled: 1 } }],
  ['nesting without end', `{"schema":1,"birth":"","ended":"","data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
  ['a prototype', '{"schema":1,"birth":"","ended":"","data":{"__proto__":{"enabled":true}}}'],
]

test.each(garbage)('a register with %s costs its own flag and no other', (_name, content) => {
  for (const part of ['definition', 'switch|default', 'targeting|default']) {
    const ruleset = rulesetFrom(created(flagOf()), created(parseFlag('default', { key: 'other', enabled: true })))
    ruleset.apply([register(`flag|default|f|${part}`, content)])
    const broken = ruleset.find('default', 'default', 'f')
    expect(broken?.evaluate({}, 0)).toMatchObject({ value: undefined, reason: 'ERROR', errorCode: 'PARSE_ERROR' })
    expect(broken?.explain({}, 0).evaluation).toEqual(broken?.evaluate({}, 0))
    expect(broken?.fault).not.toBe('')
    expect(ruleset.find('default', 'default', 'other')?.evaluate({}, 0).value).toBe(true)
    expect(ruleset.size()).toEqual({ flags: 2, segments: 0, faults: 1 })
    ruleset.apply(stamped(splitFlag(flagOf(), ruleset.life('flag', 'default', 'f')), stamp(10)))
    expect(ruleset.find('default', 'default', 'f')?.evaluate({}, 0).value).toBe(true)
  }
})

test('a bad register of an environment costs that environment', () => {
  const ruleset = rulesetFrom(created(flagOf({ environments: { qa: {}, eu: {} } })))
  ruleset.apply([register('flag|default|f|targeting|qa', { ...header, data: { rules: 1 } })])
  const value = (environment: string) => ruleset.find('default', environment, 'f')?.evaluate({}, 0).value
  expect([value('default'), value('eu'), value('qa')]).toEqual([true, true, undefined])
})

test('a merge that makes no sense costs the contexts that reach it', () => {
  const flag = flagOf({
    variations: { on: true, off: false, blue: 'b' },
    rules: [{ if: { attribute: 'plan', op: 'eq', values: ['pro'] }, serve: { variation: 'blue' } }],
    fallthrough: { variation: 'on' },
  })
  const { blue: _blue, ...rest } = flag.variations
  const withoutBlue = { ...flag, variations: rest }
  const found = rulesetFrom(created(flag), edited(flag, withoutBlue, { birth: stamp(1), ended: '' }, stamp(2))).find(
    'default',
    'default',
    'f',
  )
  expect(found?.evaluate({}, 0)).toEqual({ value: true, variation: 'on', reason: 'DEFAULT' })
  expect(found?.evaluate({ plan: 'pro' }, 0)).toEqual({
    value: undefined,
    variation: undefined,
    reason: 'ERROR',
    errorCode: 'PARSE_ERROR',
    errorDetails: 'rules[0].serve.variation names the variation "blue", which the flag does not have',
  })
})

test('an operator that this node does not know costs the contexts that reach it', () => {
  const rules = [
    { if: { attribute: 'a', op: 'eq', values: ['x'] }, serve: { variation: 'on' } },
    { if: { attribute: 'a', op: 'ofTomorrow' }, serve: { variation: 'on' } },
  ]
  const targeting = register('flag|default|f|targeting|default', {
    ...header,
    data: { rules, fallthrough: { variation: 'off' } },
  })
  const found = rulesetFrom(created(flagOf()), [targeting]).find('default', 'default', 'f')
  expect(found?.evaluate({ a: 'x' }, 0).value).toBe(true)
  expect(found?.evaluate({ a: 'y' }, 0)).toMatchObject({
    errorCode: 'PARSE_ERROR',
    errorDetails: 'rules[1].if.op "ofTomorrow" is not an operator',
  })
})
