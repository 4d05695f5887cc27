import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Logger } from 'pino'
import type { TlsFiles } from './settings.ts'

/** What a TLS server shows and proves: PEM texts. */
export interface Pem {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface TlsIdentity {
  /** Throws the system's or OpenSSL's error. */
  read(): Pem
  /** Calls back with each new identity; one that cannot be used is logged, and the old one stays. Returns the way to stop. */
  follow(onChange: (pem: Pem) => void): () => void
}

/** Milliseconds between looks at the files. Looked at, not watched: what mounts secrets swaps links, and a watch would follow the old. */
const lookIntervalMs = 5_000

export function createTlsIdentity(files: TlsFiles, logger: Logger): TlsIdentity {
  const { certFile, keyFile, lookMs = lookIntervalMs } = files

  function read(): Pem {
    const pem = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    // Throws when one is not of the other, as while only the first of them has been replaced.
    createSecureContext(pem)
    return pem
  }

  return {
    read,
    follow(onChange) {
      const look = () => {
        try {
          onChange(read())
          logger.info({ certFile }, 'new TLS certificate in use')
        } catch (error) {
          logger.error({ err: error, certFile, keyFile }, 'the TLS files cannot be used; the certificate in use stays')
        }
      }
      for (const file of [certFile, keyFile]) watchFile(file, { interval: lookMs, persistent: false }, look)
      return () => {
        for (const file of [certFile, keyFile]) unwatchFile(file, look)
      }
    },
  }
}
