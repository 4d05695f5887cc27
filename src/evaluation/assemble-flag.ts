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
  #flag: Flag | undefined

  constructor(registers: FlagRegisters, ended: string) {
    const { switches, targetings } = registers
    this.#registers = registers
    this.life = { birth: newestBirth(registers), ended }
    const environments = new Set([...switches.keys(), ...targetings.keys()])
    environments.delete(defaultEnvironment)
    this.#newest = newestOf(registers)
    this.version = this.#newest.stamp
    this.environments = [...environments]
      .filter((name) => this.#held(switches.get(name)) ?? this.#held(targetings.get(name)))
      .sort()
    this.notice = this.#notices()
  }

  /** Whether the definition can be read. If not, the flag answers nothing but PARSE_ERROR, and there is no document to show. */
  get readable(): boolean {
    return this.#registers.definition.data !== undefined
  }

  get definition(): Flag {
    this.#flag ??= this.#assemble()
    return this.#flag
  }

  /** Why an environment cannot be answered, '' if it can. */
  brokenIn(environment: string): string {
    const { definition, switches, targetings } = this.#registers
    const parts = new Map<string, StoredRegister<unknown> | undefined>([['definition', definition]])
    for (const name of environment === defaultEnvironment ? [environment] : [defaultEnvironment, environment]) {
      parts.set(`switch of "${name}"`, this.#held(switches.get(name)))
      parts.set(`targeting of "${name}"`, this.#held(targetings.get(name)))
    }
    for (const [part, register] of parts) if (register?.broken) return `the ${part} ${register.broken}`
    return ''
  }

  /** The register if it is live and of this life. */
  #held<Data>(register: StoredRegister<Data> | undefined): StoredRegister<Data> | undefined {
    return register?.live && register.birth > this.life.ended ? register : undefined
  }

  #notices(): string {
    const { definition, switches, targetings } = this.#registers
    const notes = all(this.#registers).map((register) => register.notice)
    if (!this.#held(definition)) notes.push('the definition is of an earlier life')
    if (!this.#held(switches.get(defaultEnvironment)))
      notes.push('the switch is of an earlier life: the flag counts as disabled')
    if (!this.#held(targetings.get(defaultEnvironment)))
      notes.push('the targeting is of an earlier life: there is nothing to serve')
    return notes.filter((note) => note !== '').join('; ')
  }

  #assemble(): Flag {
    const { namespace, key, definition, switches, targetings } = this.#registers
    const environments = this.environments.map((name): [string, EnvironmentSettings] => {
      const enabled = this.#held(switches.get(name))?.data?.enabled
      const targeting = pickTargeting(this.#held(targetings.get(name))?.data ?? {})
      return [name, enabled === undefined ? targeting : { enabled, ...targeting }]
    })
    const { by } = this.#newest
    return {
      key,
      namespace,
      ...(definition.data ?? { type: 'json', variations: {} }),
      enabled: this.#held(switches.get(defaultEnvironment))?.data?.enabled ?? false,
      ...pickTargeting(this.#held(targetings.get(defaultEnvironment))?.data ?? {}),
      ...(environments.length > 0 && { environments: Object.fromEntries(environments) }),
      version: this.version,
      createdAt: formatInstant(stampMs(this.life.birth)),
      updatedAt: formatInstant(stampMs(this.version)),
      ...(by !== undefined && { updatedBy: by }),
    }
  }
}

function all({ definition, switches, targetings }: FlagRegisters): StoredRegister<unknown>[] {
  return [definition, ...switches.values(), ...targetings.values()]
}

/** The newest write to any of the registers. To delete those of an environment is one, and so is one of an earlier life that won. */
function newestOf(registers: FlagRegisters): StoredRegister<unknown> {
  return all(registers).reduce((newest, one) => (one.stamp > newest.stamp ? one : newest))
}

/** The birth of the newest life that a register names: what was written into it stays when an earlier life's write wins elsewhere. */
function newestBirth(registers: FlagRegisters): string {
  return all(registers).reduce((newest, { live, birth }) => (live && birth > newest ? birth : newest), '')
}
