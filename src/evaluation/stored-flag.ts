import type { z } from 'zod'
import { AssembledFlag, type DefinitionData, type SwitchData } from './assemble-flag.ts'
import type { Targeting } from './model.ts'
import type { FlagPart, Life } from './registers.ts'
import { definitionRegisterSchema, switchRegisterSchema, targetingRegisterSchema } from './schema.ts'
import { defaultEnvironment } from './settings.ts'
import { StoredRegister } from './stored-register.ts'

/** The registers of one flag, and what they make. What makes a flag exist stands in registers.ts, at Life. */
export class StoredFlag {
  readonly #namespace: string
  readonly #key: string
  #definition: StoredRegister<DefinitionData> | undefined
  readonly #switches = new Map<string, StoredRegister<SwitchData>>()
  readonly #targetings = new Map<string, StoredRegister<Targeting>>()
  /** undefined while there is no such flag. */
  assembled: AssembledFlag | undefined

  constructor(namespace: string, key: string) {
    this.#namespace = namespace
    this.#key = key
  }

  /** Takes the winner of one register; assemble() makes it count. A stamp of '' says that nothing is left of it. */
  take(part: FlagPart, environment: string, stamp: string, value: Uint8Array | null): void {
    if (part === 'switch') takeInto(this.#switches, environment, stamp, value, switchRegisterSchema)
    else if (part === 'targeting') takeInto(this.#targetings, environment, stamp, value, targetingRegisterSchema)
    else if (stamp === '') this.#definition = undefined
    else this.#definition = new StoredRegister(stamp, value, definitionRegisterSchema, this.#definition)
  }

  /** Nothing is known of it any more, not even that it was deleted. */
  isEmpty(): boolean {
    return !this.#definition && this.#switches.size === 0 && this.#targetings.size === 0
  }

  /** The life that a write to this flag belongs to; for a creation, one after all that is known of the flag. */
  life(): Life {
    if (this.assembled) return this.assembled.life
    const [definition, onOff, targeting] = this.#essential()
    return {
      birth: '',
      ended: [definition, onOff, targeting].reduce((newest, register) => later(newest, register?.stamp ?? ''), ''),
    }
  }

  assemble(): AssembledFlag | undefined {
    this.assembled = this.#assembleNow()
    return this.assembled
  }

  #essential() {
    return [this.#definition, this.#switches.get(defaultEnvironment), this.#targetings.get(defaultEnvironment)] as const
  }

  #assembleNow(): AssembledFlag | undefined {
    const [definition, onOff, targeting] = this.#essential()
    if (!definition?.live || !onOff?.live || !targeting?.live) return undefined
    const registers = [definition, ...this.#switches.values(), ...this.#targetings.values()]
    const ended = registers.reduce((newest, register) => later(newest, register.ended), '')
    const parts = {
      namespace: this.#namespace,
      key: this.#key,
      definition,
      switches: this.#switches,
      targetings: this.#targetings,
    }
    return new AssembledFlag(parts, ended)
  }
}

function takeInto<Data>(
  registers: Map<string, StoredRegister<Data>>,
  environment: string,
  stamp: string,
  value: Uint8Array | null,
  schema: z.ZodType<Data>,
): void {
  if (stamp === '') registers.delete(environment)
  else registers.set(environment, new StoredRegister(stamp, value, schema, registers.get(environment)))
}

function later(a: string, b: string): string {
  return a > b ? a : b
}
