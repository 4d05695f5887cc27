import type { z } from 'zod'
import type { FlagSource } from './compiled-flag.ts'
import { formatInstant } from './instant.ts'
import type { EnvironmentSettings, Flag, FlagDefinition, Targeting } from './model.ts'
import type { Life } from './registers.ts'
import type { definitionRegisterSchema, switchRegisterSchema } from './schema.ts'
import { defaultEnvironment, pickTargeting } from './settings.ts'
import type { StoredRegister } from './stored-register.ts'
import { withoutUndefined } from './well-formed.ts'

export type DefinitionData = z.infer<typeof definitionRegisterSchema>
export type SwitchData = z.infer<typeof switchRegisterSchema>

/** A flag as its registers make it. */
export interface AssembledFlag extends FlagSource {
  /** undefined when the definition cannot be read: then the flag only answers PARSE_ERROR. */
  readonly flag: Flag | undefined
  readonly life: Life
}

/** The registers of one flag; of the maps the keys are environments. */
export interface FlagRegisters {
  readonly definition: StoredRegister<DefinitionData>
  readonly switches: ReadonlyMap<string, StoredRegister<SwitchData>>
  readonly targetings: ReadonlyMap<string, StoredRegister<Targeting>>
}

/** Milliseconds since 1970 of a stamp, which begins with them as 12 hex digits; 0 for what is none. */
export function stampMs(stamp: string): number {
  return Number.parseInt(stamp.slice(0, 12), 16) || 0
}

/** Makes a flag of registers that make one (see Life in registers.ts); lives up to `ended` are over. */
export function assembleFlag(namespace: string, key: string, registers: FlagRegisters, ended: string): AssembledFlag {
  const { definition } = registers
  const held = <Data>(register: StoredRegister<Data> | undefined) =>
    register?.live && register.birth > ended ? register : undefined
  const onOff = held(registers.switches.get(defaultEnvironment))
  const targeting = held(registers.targetings.get(defaultEnvironment))
  const { environments, broken } = assembleEnvironments(registers, held)
  const everywhere = firstFault({ definition, 'default switch': onOff, 'default targeting': targeting })
  const whole: FlagDefinition = withoutUndefined({
    key,
    namespace,
    ...(definition.data ?? { type: 'json', variations: {} }),
    enabled: onOff?.data?.enabled ?? false,
    ...pickTargeting(targeting?.data ?? {}),
    environments,
  })
  const newest = newestOf(registers, ended)
  const instants = {
    createdAt: formatInstant(stampMs(definition.birth)),
    updatedAt: formatInstant(stampMs(newest.stamp)),
  }
  return {
    definition: whole,
    version: newest.stamp,
    flag: definition.data && withoutUndefined({ ...whole, version: newest.stamp, ...instants, updatedBy: newest.by }),
    life: { birth: definition.birth, ended },
    brokenIn: (environment) => everywhere || broken.get(environment) || '',
    notice: notices(registers, onOff, targeting),
  }
}

/** Environments that a register of this life names, by name, and why some of them cannot be answered. */
function assembleEnvironments(
  { switches, targetings }: FlagRegisters,
  held: <Data>(register: StoredRegister<Data> | undefined) => StoredRegister<Data> | undefined,
) {
  const names = new Set([...switches.keys(), ...targetings.keys()])
  names.delete(defaultEnvironment)
  const environments: [string, EnvironmentSettings][] = []
  const broken = new Map<string, string>()
  for (const name of [...names].sort()) {
    const onOff = held(switches.get(name))
    const targeting = held(targetings.get(name))
    if (!onOff && !targeting) continue
    environments.push([
      name,
      withoutUndefined({ enabled: onOff?.data?.enabled, ...pickTargeting(targeting?.data ?? {}) }),
    ])
    const fault = firstFault({ [`switch of "${name}"`]: onOff, [`targeting of "${name}"`]: targeting })
    if (fault !== '') broken.set(name, fault)
  }
  return { environments: environments.length > 0 ? Object.fromEntries(environments) : undefined, broken }
}

function firstFault(named: Readonly<Record<string, StoredRegister<unknown> | undefined>>): string {
  for (const [name, register] of Object.entries(named)) if (register?.broken) return `the ${name} ${register.broken}`
  return ''
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

function notices(registers: FlagRegisters, onOff: unknown, targeting: unknown): string {
  const notes = all(registers).map((register) => register.notice)
  if (!onOff) notes.push('the switch is of an earlier life: the flag counts as disabled')
  if (!targeting) notes.push('the targeting is of an earlier life: there is nothing to serve')
  return notes.filter((note) => note !== '').join('; ')
}
