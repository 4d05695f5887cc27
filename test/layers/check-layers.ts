import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { factsOf, type SourceFacts } from './source-facts.ts'

/**
 * The floors of the house (DESIGN.md): a file imports from floors below its own, and on its own floor from its own room
 * only. The files at the top of src/ are rooms too; those that no one lists make up the composition root.
 */
const floors: readonly (readonly string[])[] = [
  ['base'],
  ['evaluation', 'crdt'],
  ['replica'],
  ['catalog'],
  ['mesh', 'storage', 'http', 'sdk', 'dashboard'],
  ['settings.ts'],
  ['config.ts'],
  ['composition'],
  ['cli'],
  ['main.ts'],
]
/** Synchronous and without clock, chance or I/O: what goes in decides what comes out. */
const pureRooms = new Set(['base', 'evaluation', 'crdt', 'replica'])
/** Of a text that is given, these ask no clock. */
const toleratedIn: Readonly<Record<string, readonly string[]>> = { evaluation: ['Date.parse', 'Date.UTC'] }
/** Ships to others without the server. */
const sdkMayUse = new Set(['base', 'evaluation', 'sdk'])

/** Every breach of the rules, one sentence each; `files` maps paths below src/ to their texts. */
export function checkLayers(files: ReadonlyMap<string, string>): string[] {
  const facts = new Map([...files].map(([path, text]) => [path, factsOf(text)] as const))
  return [
    ...[...facts].flatMap(([path, file]) => [...checkArrows(path, file), ...checkPurity(path, file)]),
    ...findCycles(facts),
  ]
}

function roomOf(path: string): string {
  const first = path.split('/')[0] as string
  if (!first.endsWith('.ts')) return first
  return floors.some((rooms) => rooms.includes(first)) ? first : 'composition'
}

function floorOf(room: string): number {
  return floors.findIndex((rooms) => rooms.includes(room))
}

function resolveLocal(path: string, specifiers: readonly string[]): string[] {
  const local = specifiers.filter((specifier) => specifier.startsWith('.'))
  return local.map((specifier) => posix.join(posix.dirname(path), specifier))
}

function checkArrows(path: string, file: SourceFacts): string[] {
  const from = roomOf(path)
  if (floorOf(from) < 0) return [`${path}: src/${from} has no floor in the house`]
  return resolveLocal(path, file.imports).flatMap((target) => {
    const to = roomOf(target)
    if (floorOf(to) > floorOf(from)) return [`${path} imports upwards: ${target}`]
    if (floorOf(to) === floorOf(from) && to !== from) return [`${path} imports a sibling: ${target}`]
    if (from === 'sdk' && !sdkMayUse.has(to)) return [`${path} ships without ${target}`]
    return []
  })
}

function checkPurity(path: string, { imports, impurities }: SourceFacts): string[] {
  const room = roomOf(path)
  const isPure = pureRooms.has(room)
  const builtins = isPure || room === 'catalog' ? imports.filter((specifier) => isBuiltin(specifier)) : []
  const used = isPure ? impurities.filter(({ what }) => !toleratedIn[room]?.includes(what)) : []
  return [
    ...builtins.map((specifier) => `${path} imports ${specifier}, which only adapters may`),
    ...used.map(({ what, line }) => `${path}:${line} uses ${what}, which only adapters may`),
  ]
}

/** Each circle once, told from the file where it was entered. Types may refer to each other: they have no order of loading. */
function findCycles(facts: ReadonlyMap<string, SourceFacts>): string[] {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path)
    if (seenAt >= 0) cycles.push(`a circle of imports: ${[...trail.slice(seenAt), path].join(' -> ')}`)
    const file = facts.get(path)
    if (seenAt >= 0 || done.has(path) || file === undefined) return
    for (const target of resolveLocal(path, file.loads)) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of facts.keys()) visit(path, [])
  return cycles
}
