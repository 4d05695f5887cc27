import type { z } from 'zod'
import type { FlagSource } from './compiled-flag.ts'
import { formatInstant } from './instant.ts'
import type { EnvironmentSettings, Flag, Targeting } from './model.ts'
import type { Life } from './registers.ts'
import type { definitionRegisterSchema, switchRegisterSchema } from './schema.ts'
import { defaultEnvironment, pickTargeting } from './settings.ts'
import type { StoredRegister } from './stored-register.ts'

export type DefinitionData = z.infer<typeof definitionRegisterSchema>
export type SwitchData = z.infer<typeof switchRegisterSchema>

/** The registers of one flag; of the maps the keys are environments. */
export interface FlagRegisters {
  readonly namespace: string
  readonly key: string
  readonly definition: StoredRegister<DefinitionData>
  readonly switches: ReadonlyMap<string, StoredRegister<SwitchData>>
  readonly targetings: ReadonlyMap<string, StoredRegister<Targeting>>
}

/** Milliseconds since 1970 of a stamp, which begins with them as 12 hex digits; 0 for what is none. */
export function stampMs(stamp: string): number {
  return Number.parseInt(stamp.slice(0, 12), 16) || 0
}

type Held = <Data>(register: StoredRegister<Data> | undefined) => StoredRegister<Data> | undefined

/**
 * A flag as registers that make one make it (see Life in registers.ts); lives up to `ended` are over. Its document is put together when first
 * asked for, so that many flags load fast: until the next one is assembled, nobody may change the registers.
 */
export class AssembledFlag implements FlagSource {
  readonly version: string
  readonly life: Life
  readonly notice: string
  /** Names of the environments that registers of this life name, sorted. */
  readonly environments: readonly string[]
  readonly #newest: StoredRegister<unknown>
  readonly #registers: FlagRegisters
  readonly #broken: ReadonlyMap<string, string>
  #flag: Flag | undefined

  constructor(registers: FlagRegisters, ended: string) {
    const { definition, switches, targetings } = registers
    const held: Held = (register) => (register?.live && register.birth > ended ? register : undefined)
    const environments = new Set([...switches.keys(), ...targetings.keys()])
    environments.delete(defaultEnvironment)
    this.#registers = registers
    this.#newest = newestOf(registers, ended)
    this.version = this.#newest.stamp
    this.life = { birth: definition.birth, ended }
    this.environments = [...environments]
      .filter((name) => held(switches.get(name)) ?? held(targetings.get(name)))
      .sort()
    this.notice = notices(registers, held)
    this.#broken = brokenParts(registers, this.environments, held)
  }

  /** Whether the definition can be read. If not, the flag answers nothing but PARSE_ERROR, and there is no document to show. */
  get readable(): boolean {
    return this.#registers.definition.data !== undefined
  }

  get definition(): Flag {
    this.#flag ??= this.#assemble()
    return this.#flag
  }

  brokenIn(environment: string): string {
    return this.#broken.get('') ?? this.#broken.get(environment) ?? ''
  }

  #assemble(): Flag {
    const { namespace, key, definition, switches, targetings } = this.#registers
    const held: Held = (register) => (register?.live && register.birth > this.life.ended ? register : undefined)
    const environments = this.environments.map((name): [string, EnvironmentSettings] => {
      const enabled = held(switches.get(name))?.data?.enabled
      const targeting = pickTargeting(held(targetings.get(name))?.data ?? {})
      return [name, enabled === undefined ? targeting : { enabled, ...targeting }]
    })
    const { by } = this.#newest
    return {
      key,
      namespace,
      ...(definition.data ?? { type: 'json', variations: {} }),
      enabled: held(switches.get(defaultEnvironment))?.data?.enabled ?? false,
      ...pickTargeting(held(targetings.get(defaultEnvironment))?.data ?? {}),
      ...(environments.length > 0 && { environments: Object.fromEntries(environments) }),
      version: this.version,
      createdAt: formatInstant(stampMs(definition.birth)),
      updatedAt: formatInstant(stampMs(this.version)),
      ...(by !== undefined && { updatedBy: by }),
    }
  }
}

/** Why an environment, or '' for all of them, cannot be answered. */
function brokenParts(
  { definition, switches, targetings }: FlagRegisters,
  environments: readonly string[],
  held: Held,
): Map<string, string> {
  const broken = new Map<string, string>()
  const note = (environment: string, part: string, register: StoredRegister<unknown> | undefined) => {
    if (register?.broken) broken.set(environment, `the ${part} ${register.broken}`)
  }
  note('', 'targeting', held(targetings.get(defaultEnvironment)))
  note('', 'switch', held(switches.get(defaultEnvironment)))
  note('', 'definition', definition)
  for (const name of environments) {
    note(name, `targeting of "${name}"`, held(targetings.get(name)))
    note(name, `switch of "${name}"`, held(switches.get(name)))
  }
  return broken
}

function all({ definition, switches, targetings }: FlagRegisters): StoredRegister<unknown>[] {
  return [definition, ...switches.values(), ...targetings.values()]
}

/** The newest write to the flag in this life. To delete an environment is one as well. */
function newestOf(registers: FlagRegisters, ended: string): StoredRegister<unknown> {
  const ofThisLife = all(registers).filter((register) => (register.live ? register.birth : register.stamp) > ended)
  return ofThisLife.reduce<StoredRegister<unknown>>(
    (newest, one) => (one.stamp > newest.stamp ? one : newest),
    registers.definition,
  )
}

function notices(registers: FlagRegisters, held: Held): string {
  const notes = all(registers).map((register) => register.notice)
  if (!held(registers.switches.get(defaultEnvironment)))
    notes.push('the switch is of an earlier life: the flag counts as disabled')
  if (!held(registers.targetings.get(defaultEnvironment)))
    notes.push('the targeting is of an earlier life: there is nothing to serve')
  return notes.filter((note) => note !== '').join('; ')
}
