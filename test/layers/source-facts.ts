import { parseAst } from 'vitest/node'

/** What the house rules ask of one source file. */
export interface SourceFacts {
  /** Module specifiers as written: imports, re-exports, dynamic imports and types, all of them arrows. */
  readonly imports: readonly string[]
  /** Those of them that are left when the types are gone. */
  readonly loads: readonly string[]
  /** Uses of what only adapters may use, like `Date.now` or `async`, with the line of each. */
  readonly impurities: readonly { readonly what: string; readonly line: number }[]
}

interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly [property: string]: unknown
}

const impureGlobals = new Set([
  ...['Date', 'console', 'performance', 'process', 'fetch', 'crypto', 'Promise'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
])
/** Where types stand, which are gone when the program runs. */
const typeProperties = new Set(['typeAnnotation', 'typeArguments', 'typeParameters', 'returnType', 'implements'])
const typeDeclarations = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'])

/** Throws when the text is no TypeScript. */
export function factsOf(text: string): SourceFacts {
  const program: unknown = parseAst(text, { lang: 'ts' })
  const imports: string[] = []
  const loads: string[] = []
  const impurities: { what: string; line: number }[] = []
  for (const node of nodesBelow(program, () => false)) {
    imports.push(...importsOf(node))
    if (!isTypeImport(node)) loads.push(...importsOf(node))
  }
  for (const node of nodesBelow(program, isType)) {
    const what = impurityOf(node)
    if (what !== null) impurities.push({ what, line: text.slice(0, node.start).split('\n').length })
  }
  return { imports, loads, impurities }
}

function* nodesBelow(value: unknown, skips: (node: SyntaxNode, property: string) => boolean): Generator<SyntaxNode> {
  if (Array.isArray(value)) {
    for (const item of value) yield* nodesBelow(item, skips)
    return
  }
  if (!isNode(value)) return
  yield value
  for (const [property, child] of Object.entries(value)) if (!skips(value, property)) yield* nodesBelow(child, skips)
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** Also the names of properties, which are no references: `row.process`, `{ Date: 1 }`; and members of a look-up, which report themselves. */
function isType(node: SyntaxNode, property: string): boolean {
  if (typeDeclarations.has(node.type) || typeProperties.has(property)) return true
  const namesProperty = property === 'property' || (property === 'key' && node.value !== node.key)
  if (namesProperty && node.computed !== true) return true
  return property === 'object' && memberName(node) !== null
}

function importsOf(node: SyntaxNode): string[] {
  const source = node.type === 'TSImportType' ? (node.source ?? node.argument) : node.source
  const isImport = /^(Import|ExportAll|ExportNamed|TSImportType)/.test(node.type)
  return isImport && isNode(source) && typeof source.value === 'string' ? [source.value] : []
}

function isTypeImport({ type, importKind, exportKind }: SyntaxNode): boolean {
  return type === 'TSImportType' || importKind === 'type' || exportKind === 'type'
}

/** `Date.now` of a look-up in one of the globals, or in Math. */
function memberName(node: SyntaxNode): string | null {
  const { object, property } = node
  if (node.type !== 'MemberExpression' || node.computed === true || !isNode(object) || !isNode(property)) return null
  const known = object.type === 'Identifier' && (object.name === 'Math' || impureGlobals.has(String(object.name)))
  return known ? `${object.name}.${property.name}` : null
}

function impurityOf(node: SyntaxNode): string | null {
  const member = memberName(node)
  if (member !== null) return member.startsWith('Math.') && member !== 'Math.random' ? null : member
  if (node.type === 'Identifier' && impureGlobals.has(String(node.name))) return String(node.name)
  if (node.async === true) return 'async'
  if (node.type === 'AwaitExpression' || node.await === true) return 'await'
  return null
}
