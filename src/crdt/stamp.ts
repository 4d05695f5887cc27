declare const brand: unique symbol

/**
 * When and by whom a register was written: wall clock ms (48 bit), counter (16 bit), writer (64 bit), as 32 lowercase hex
 * digits. A stamp is its own text, so `<` on strings is the total order, and a version in an ETag sorts as it should.
 * The writer is random at each process start: a cloned disk or a restored backup reuses nothing.
 */
export type Stamp = string & { readonly [brand]: 'stamp' }

/** 64 bits as 16 lowercase hex digits, random at each process start. */
export type Writer = string

export const stampPattern = /^[0-9a-f]{32}$/
export const wallMsMax = 2 ** 48 - 1
export const counterMax = 2 ** 16 - 1

/** Below every stamp: "has seen nothing". */
export const noStamp = '' as Stamp

export function makeStamp(wallMs: number, counter: number, writer: Writer): Stamp {
  return (wallMs.toString(16).padStart(12, '0') + counter.toString(16).padStart(4, '0') + writer) as Stamp
}

export function isStamp(text: unknown): text is Stamp {
  return typeof text === 'string' && stampPattern.test(text)
}

export function wallMsOf(stamp: Stamp): number {
  return stamp === noStamp ? 0 : Number.parseInt(stamp.slice(0, 12), 16)
}

export function counterOf(stamp: Stamp): number {
  return stamp === noStamp ? 0 : Number.parseInt(stamp.slice(12, 16), 16)
}

export function writerOf(stamp: Stamp): Writer {
  return stamp.slice(16)
}
