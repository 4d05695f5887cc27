import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkLayers } from './layers/check-layers.ts'

const source = join(import.meta.dirname, '../src')

function readSource(): Map<string, string> {
  const paths = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  return new Map(paths.map((path) => [path, readFileSync(join(source, path), 'utf8')]))
}

test('the house keeps its layers', () => {
  const files = readSource()
  expect(files.size).toBeGreaterThan(20)
  expect(checkLayers(files)).toEqual([])
})

const sound = {
  'base/ids.ts': 'export const id = 1',
  'crdt/map.ts': "import { id } from '../base/ids.ts'; export const map = id",
  'storage/store.ts':
    "import { map } from '../crdt/map.ts'; import fs from 'node:fs'; export async function store() { await fs; return map }",
  'node.ts': "export { store } from './storage/store.ts'",
  'main.ts': "import './node.ts'",
}

test('a house in order has nothing to complain about', () => {
  expect(checkLayers(new Map(Object.entries(sound)))).toEqual([])
})

test.each<[string, string, string]>([
  ['crdt/a.ts', "import { store } from '../storage/store.ts'", 'crdt/a.ts imports upwards: storage/store.ts'],
  ['crdt/a.ts', "import type { Store } from '../storage/store.ts'", 'crdt/a.ts imports upwards: storage/store.ts'],
  ['crdt/a.ts', "export * from '../storage/store.ts'", 'crdt/a.ts imports upwards: storage/store.ts'],
  ['crdt/a.ts', "type Store = import('../storage/store.ts').Store", 'crdt/a.ts imports upwards: storage/store.ts'],
  ['storage/a.ts', "export const a = () => import('../node.ts')", 'storage/a.ts imports upwards: node.ts'],
  ['evaluation/a.ts', "import { map } from '../crdt/map.ts'", 'evaluation/a.ts imports a sibling: crdt/map.ts'],
  [
    'http/routes/a.ts',
    "import { store } from '../../storage/store.ts'",
    'http/routes/a.ts imports a sibling: storage/store.ts',
  ],
  ['sdk/a.ts', "import { map } from '../crdt/map.ts'", 'sdk/a.ts ships without crdt/map.ts'],
  ['attic/a.ts', 'export const a = 1', 'attic/a.ts: src/attic has no floor in the house'],
  ['base/ids.ts', "import '../base/ids.ts'", 'a circle of imports: base/ids.ts -> base/ids.ts'],
  ['crdt/a.ts', "import 'node:fs'", 'crdt/a.ts imports node:fs, which only adapters may'],
  ['catalog/a.ts', "import 'crypto'", 'catalog/a.ts imports crypto, which only adapters may'],
  ['crdt/a.ts', 'const a = 1\nexport const b = Date.now()', 'crdt/a.ts:2 uses Date.now, which only adapters may'],
  ['crdt/a.ts', "export const a = Date.parse('')", 'crdt/a.ts:1 uses Date.parse, which only adapters may'],
  ['evaluation/a.ts', 'export const a = new Date()', 'evaluation/a.ts:1 uses Date, which only adapters may'],
  ['evaluation/a.ts', 'const { now } = Date', 'evaluation/a.ts:1 uses Date, which only adapters may'],
  ['replica/a.ts', 'export const a = Math.random()', 'replica/a.ts:1 uses Math.random, which only adapters may'],
  ['replica/a.ts', 'setTimeout(() => {}, 1)', 'replica/a.ts:1 uses setTimeout, which only adapters may'],
  ['replica/a.ts', 'console.log(1)', 'replica/a.ts:1 uses console.log, which only adapters may'],
  ['replica/a.ts', 'export async function a() {}', 'replica/a.ts:1 uses async, which only adapters may'],
  ['replica/a.ts', 'export const a = async () => {}', 'replica/a.ts:1 uses async, which only adapters may'],
  [
    'replica/a.ts',
    'export const a = Promise.resolve(1)',
    'replica/a.ts:1 uses Promise.resolve, which only adapters may',
  ],
])('%s with %j is found', (path, text, complaint) => {
  expect(checkLayers(new Map(Object.entries({ ...sound, [path]: text })))).toEqual([complaint])
})

test('a circle through several files is found', () => {
  const circle = {
    'crdt/a.ts': "import './b.ts'",
    'crdt/b.ts': "import './c.ts'",
    'crdt/c.ts': "import './a.ts'",
  }
  const ofTypes = { ...circle, 'crdt/c.ts': "import type { A } from './a.ts'" }
  expect(checkLayers(new Map(Object.entries(ofTypes)))).toEqual([])
  expect(checkLayers(new Map(Object.entries(circle)))).toEqual([
    'a circle of imports: crdt/a.ts -> crdt/b.ts -> crdt/c.ts -> crdt/a.ts',
  ])
})

test('types, properties and texts that only look impure are let through', () => {
  const innocent = `
    interface Clock { readonly process: Date; fetch(): Promise<void> }
    // Date.now() in a comment, 'setTimeout' in a text
    export function lookUp(row: Clock, text = 'console.log'): Date | string {
      return row.process ?? { console: Math.floor(1), Date: text }.Date
    }`
  expect(
    checkLayers(new Map([['evaluation/a.ts', `${innocent}\nexport const at = Date.parse('2026-01-01')`]])),
  ).toEqual([])
})
