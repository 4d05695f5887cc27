import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'

/** Bad usage: the program ends with exit code 2 and this message. It never carries the value of a secret. */
export class UsageError extends Error {}

/** What `--help` says of a setting, and how it may be given. */
export interface SettingFacts {
  /** Stands for the value in `--help`; a switch has none, and is `true` when it is given alone. */
  readonly value?: string
  readonly help: string
  /** The default as people write it; where it is no text, `otherwise` says what holds. */
  readonly default?: string
  readonly otherwise?: string
  /** May come from the file that `VARIABLE_FILE` names, and is not shown in errors. */
  readonly secret?: true
}

type SettingSchema<T> = z.ZodType<T, string | undefined>

const facts = z.registry<SettingFacts>()

/**
 * One setting, given as text. `read` returns null for what is out of range; `wanted` completes "--port must be ...".
 * Without a default, `read` gets '' when the setting is not given.
 */
export function setting<T>(about: SettingFacts, wanted: string, read: (text: string) => T | null): SettingSchema<T> {
  const schema = z.string().transform((text, context) => {
    const value = read(text)
    if (value !== null) return value
    context.addIssue({ code: 'custom', message: wanted })
    return z.NEVER
  })
  return schema.prefault(about.default ?? '').register(facts, about)
}

/** The setting's option (`--mesh-port`), from its name (`meshPort`). */
export function optionOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The setting's environment variable (`FLAGS_MESH_PORT`), from its name (`meshPort`). */
export function variableOf(name: string): string {
  return `FLAGS_${optionOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`
}

interface Given {
  readonly text: string
  /** How the user wrote it: an option, a variable, or the variable that names a file. */
  readonly source: string
}

/**
 * Reads every setting of the schema from options, which win, and variables. `given` holds the names of those set by hand.
 * Throws UsageError that names what is unknown, missing or out of range.
 */
export function readSettings<Shape extends Record<string, SettingSchema<unknown>>>(
  schema: z.ZodObject<Shape>,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly values: z.output<z.ZodObject<Shape>>; readonly given: ReadonlySet<string> } {
  const options = readOptions(schema.shape, argv)
  const given = new Map<string, Given>()
  for (const [name, member] of Object.entries(schema.shape)) {
    const found = options.get(name) ?? readVariable(name, facts.get(member)?.secret === true, env)
    if (found !== undefined) given.set(name, found)
  }
  const result = schema.safeParse(Object.fromEntries([...given].map(([name, { text }]) => [name, text])))
  if (result.success) return { values: result.data, given: new Set(given.keys()) }
  const complaints = result.error.issues.map(({ path, message }) =>
    complain(schema.shape, given, String(path[0]), message),
  )
  throw new UsageError(complaints.join('\n'))
}

/** The settings as `--help` lists them. */
export function describeSettings(schema: z.ZodObject<Record<string, SettingSchema<unknown>>>): string {
  const paragraphs = Object.entries(schema.shape).map(([name, member]) => {
    const { value, help, default: preset, otherwise, secret } = facts.get(member) ?? { help: '' }
    const option = value === undefined ? optionOf(name) : `${optionOf(name)} ${value}`
    const variables = secret ? `${variableOf(name)}, ${variableOf(name)}_FILE` : variableOf(name)
    return `  ${option.padEnd(26)}${help}\n${' '.repeat(28)}[${variables}; default: ${preset ?? otherwise ?? 'none'}]`
  })
  return paragraphs.join('\n')
}

function readOptions(shape: Record<string, SettingSchema<unknown>>, argv: readonly string[]): Map<string, Given> {
  const names = new Map(Object.keys(shape).map((name) => [optionOf(name).slice(2), name]))
  const isSwitch = (name: string) => facts.get(shape[name] as SettingSchema<unknown>)?.value === undefined
  const options = Object.fromEntries(
    [...names].map(([option, name]) => [option, { type: isSwitch(name) ? ('boolean' as const) : ('string' as const) }]),
  )
  // Not strict, because its own errors advise what makes no sense here.
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true })
  const given = new Map<string, Given>()
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw new UsageError(`There is no place for the argument ${token.value}; see --help.`)
    if (token.kind !== 'option') continue
    const name = names.get(token.name)
    if (name === undefined) throw new UsageError(`There is no option ${token.rawName}; see --help.`)
    if (token.value === undefined && !isSwitch(name))
      throw new UsageError(`${token.rawName} wants a value; see --help.`)
    given.set(name, { text: token.value ?? 'true', source: token.rawName })
  }
  return given
}

/** An empty variable counts as none: that is what compose files and unit files leave of one that is not set. */
function readVariable(name: string, secret: boolean, env: NodeJS.ProcessEnv): Given | undefined {
  const variable = variableOf(name)
  const text = env[variable]
  if (text !== undefined && text !== '') return { text, source: variable }
  const path = secret ? env[`${variable}_FILE`] : undefined
  if (path === undefined || path === '') return undefined
  try {
    return { text: readFileSync(path, 'utf8').trim(), source: `${variable}_FILE` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${variable}_FILE names a file that cannot be read (${reason}).`)
  }
}

function complain(
  shape: Record<string, SettingSchema<unknown>>,
  given: ReadonlyMap<string, Given>,
  name: string,
  wanted: string,
): string {
  const { text, source } = given.get(name) ?? { text: '', source: optionOf(name) }
  const member = shape[name]
  const secret = member !== undefined && facts.get(member)?.secret === true
  return secret ? `${source} must be ${wanted}.` : `${source} must be ${wanted}, not '${text}'.`
}
