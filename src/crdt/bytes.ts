const encoder = new TextEncoder()

/** Bytes that `text` takes as UTF-8; a lone surrogate counts as the three of U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 4
      i++
    } else bytes += 3
  }
  return bytes
}

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Writes `text` as UTF-8 at `at`; returns the position behind it. */
export function writeUtf8(text: string, into: Uint8Array, at: number): number {
  return at + encoder.encodeInto(text, into.subarray(at)).written
}

/** Lexicographic order of bytes, null below everything: -1, 0 or 1. */
export function compareBytes(a: Uint8Array | null, b: Uint8Array | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return Math.sign(difference)
  }
  return Math.sign(a.length - b.length)
}
