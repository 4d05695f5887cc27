import { createSecretKey, type KeyObject } from 'node:crypto'

/** Keys of a mesh: the first seals, all open, so that a key can be replaced node by node. Empty: nothing is sealed. */
export type Keyring = readonly KeyObject[]

const keyBytes = 32

/**
 * Reads `--mesh-key`: keys of 32 bytes in base64, separated by commas; blanks and line ends around them are ignored, so
 * that a key file may have one key a line with a comma. Nothing but blanks is an empty keyring.
 *
 * Throws an Error that names the position of the first bad key, never the key.
 */
export function parseKeyring(text: string): Keyring {
  if (text.trim() === '') return []
  return text.split(',').map((part, index) => parseKey(part.trim(), index + 1))
}

function parseKey(text: string, position: number): KeyObject {
  const bytes = Buffer.from(text, 'base64')
  // Node decodes base64 leniently; a key with a stray character would silently become another key.
  const exact = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
  if (text === '' || !exact) {
    throw new Error(`Mesh key ${position} is not base64; make one with: npx flags-mesh keygen mesh`)
  }
  if (bytes.length !== keyBytes) {
    const found = `Mesh key ${position} has ${bytes.length} bytes instead of ${keyBytes}`
    throw new Error(`${found}; make one with: npx flags-mesh keygen mesh`)
  }
  return createSecretKey(bytes)
}
