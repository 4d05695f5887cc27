const encoder = new TextEncoder()

/** A register's value as text: the replica does not look inside. */
export function bytes(text: string): Uint8Array {
  return encoder.encode(text)
}
