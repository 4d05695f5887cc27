import { readFileSync } from 'node:fs'
import { isIP, isIPv4 } from 'node:net'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { type Endpoint, parseAddress } from './mesh/address.ts'
import { type Keyring, parseKeyring } from './mesh/keyring.ts'
import { describeSettings, readSettings, setting, UsageError } from './settings.ts'

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** What an operator decides about a node. Each setting is an option and a variable: `meshPort`, `--mesh-port`, `FLAGS_MESH_PORT`. */
const configSchema = z.object({
  /** Address to bind, for HTTP (TCP) and the mesh (UDP). Loopback by default: a node without keys serves its machine only. */
  host: setting(
    { value: 'HOST', default: '127.0.0.1', help: 'Address for HTTP and the mesh; 0.0.0.0 is all.' },
    'an address or a host name',
    readHost,
  ),
  /** TCP port of the HTTP API. 0 lets the system choose, which tests need. */
  port: setting(
    { value: 'PORT', default: '8080', help: 'HTTP; 0 lets the system choose.' },
    'a whole number from 0 to 65535',
    readPort,
  ),
  /** UDP port of the mesh; 7946 is what memberlist and Serf made the custom. See `meshPortFixed`. */
  meshPort: setting(
    {
      value: 'PORT',
      default: '7946',
      help: 'UDP; when taken and not set by hand, the next free one. 0 lets the system choose.',
    },
    'a whole number from 0 to 65535',
    readPort,
  ),
  /** Host that peers are told. null leaves it to the mesh: `host`, or the first outward address when that is 0.0.0.0. */
  advertise: setting(
    { value: 'HOST', otherwise: 'host, or the first outward address', help: 'Address that peers reach.' },
    'an address or a host name that peers can reach, without a port',
    (text) => (text === '' ? { host: null } : readAdvertised(text)),
  ),
  /** Name of the mesh: those of other names are ignored on the same network. At most 64 characters, as it travels in each HELLO. */
  cluster: setting(
    { value: 'NAME', default: 'flags', help: 'Meshes of different names ignore each other on one network.' },
    '1 to 64 letters, digits, dots, dashes and underscores',
    (text) => (/^[A-Za-z0-9._-]{1,64}$/.test(text) ? text : null),
  ),
  /** Group and port on which nodes announce themselves; 239.255/16 is the site's own scope (RFC 2365). Off: seeds only. */
  multicast: setting(
    {
      value: 'GROUP:PORT',
      default: '239.255.70.71:7947',
      help: 'Discovery group, or off. TTL 1; on loopback when host is loopback.',
    },
    'off, or a group from 224.0.0.0 to 239.255.255.255 and a port, like 239.255.70.71:7947',
    readMulticast,
  ),
  /** Peers to begin with where multicast does not reach. Names are looked up again every 60 s, as containers move. */
  seeds: setting(
    { value: 'HOST:PORT,...', help: 'Mesh addresses of peers; names are looked up again every 60 s.' },
    'mesh addresses with ports, separated by commas, like 10.0.0.5:7946,flags.internal:7946',
    readSeeds,
  ),
  /** Directory of the durable state, made when missing. One process each. `:memory:` keeps nothing. */
  dataDir: setting(
    { value: 'DIR', otherwise: './data/PORT', help: 'Durable state; :memory: keeps none. One process a directory.' },
    'a directory',
    (text) => text,
  ),
  /** Keyring of the mesh: 32-byte keys (AES-256). The first seals, all open, so keys rotate without downtime. */
  meshKey: setting(
    {
      value: 'KEY,...',
      secret: true,
      help: '32-byte base64 keys; the first seals, all open. Make one: npx flags-mesh keygen mesh.',
    },
    '32-byte keys in base64, separated by commas; make one with: npx flags-mesh keygen mesh',
    readKeyring,
  ),
  /** API key that can do everything; '' leaves the node open. 16 characters at least, so that nobody guesses it. */
  adminKey: setting(
    { value: 'KEY', secret: true, help: 'API key that can do everything. Make one: npx flags-mesh keygen api.' },
    'at least 16 characters without blanks; make one with: npx flags-mesh keygen api',
    (text) => (text === '' || /^[\x21-\x7e]{16,256}$/.test(text) ? text : null),
  ),
  /** Lets a node without keys be reached from other machines. */
  insecure: setting(
    { default: 'false', help: 'Allow a host that is not loopback without mesh key or admin key.' },
    'true or false',
    readSwitch,
  ),
  /** Requests a minute for an API key that sets none of its own; 0 is no limit. Without keys there is none. */
  rateLimit: setting(
    {
      value: 'NUMBER',
      default: '1000',
      help: 'Requests a minute for an API key that sets none of its own; 0 is no limit.',
    },
    'a whole number from 0 to 10000000',
    (text) => readWhole(text, 10_000_000),
  ),
  /**
   * Entries of the audit log that are kept; older ones go, as do those of more than 90 days. Changes a day x 90 keeps them all: 100,000 is a
   * thousand a day. Each costs its flag's JSON, and 500 bytes on disk or 1 KB in memory beside. The same on every node: roots differ otherwise.
   */
  logEntriesMax: setting(
    {
      value: 'NUMBER',
      default: '100000',
      help: 'Entries of the audit log that are kept, the newest; the same on every node.',
    },
    'a whole number from 1000 to 100000000',
    (text) => atLeast(1_000, readWhole(text, 100_000_000)),
  ),
  /** Certificate chain for HTTPS, PEM. With tlsKey or not at all; both are read again when they change. */
  tlsCert: setting(
    { value: 'FILE', help: 'Certificate chain for HTTPS (PEM); read again when it changes.' },
    'a file',
    (text) => text,
  ),
  /** Private key of tlsCert, PEM. A file and no secret of ours: it is named, and never shown. */
  tlsKey: setting({ value: 'FILE', help: 'Private key of --tls-cert (PEM).' }, 'a file', (text) => text),
  /** Origins whose pages may evaluate over OFREP. Any by default: whoever has no key sees nothing, where keys are in force. */
  corsOrigins: setting(
    {
      value: 'ORIGIN,...',
      default: '*',
      help: 'Origins of pages that may evaluate over OFREP; * is any, off is none.',
    },
    'off, *, or origins separated by commas, like https://shop.example,http://localhost:3000',
    readOrigins,
  ),
  /** Least severity that is logged, as pino names them; JSON lines on stdout. */
  logLevel: setting(
    { value: 'LEVEL', default: 'info', help: `${logLevels.join(', ')}; JSON lines on stdout.` },
    `one of ${logLevels.join(', ')}`,
    (text) => logLevels.find((level) => level === text) ?? null,
  ),
})

/** Everything that an operator decides about a node, checked. */
export interface Config {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** 0 lets the system choose. */
  readonly meshPort: number
  /** Set by hand: when it is taken the start fails, and no other is tried. */
  readonly meshPortFixed: boolean
  /** null: see mesh/address.ts `advertisedHost`. */
  readonly advertise: string | null
  readonly cluster: string
  /** null: off. */
  readonly multicast: Endpoint | null
  readonly seeds: readonly Endpoint[]
  /** `:memory:` keeps nothing. */
  readonly dataDir: string
  /** Empty: nothing is sealed. */
  readonly meshKeyring: Keyring
  /** undefined: the node is open. */
  readonly adminKey: string | undefined
  /** 0 is no limit. */
  readonly rateLimitPerMinute: number
  readonly logEntriesMax: number
  /** undefined: plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  /** Send traces, as the variables of OpenTelemetry ask; see tracing.ts. */
  readonly tracing: boolean
  /** `*` is any. */
  readonly corsOrigins: readonly string[]
  readonly logLevel: LogLevel
}

/** The value of `dataDir` that keeps nothing. */
export const memoryOnly = ':memory:'

/** Reads options and variables. Throws UsageError that names every setting that is wrong, or what makes the whole unsafe. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): Config {
  const { values, given } = readSettings(configSchema, argv, env)
  const config: Config = {
    host: values.host,
    port: values.port,
    meshPort: values.meshPort,
    meshPortFixed: given.has('meshPort') && values.meshPort !== 0,
    advertise: values.advertise.host,
    cluster: values.cluster,
    multicast: values.multicast.endpoint,
    seeds: values.seeds,
    dataDir: values.dataDir === '' ? join('data', String(values.port)) : values.dataDir,
    meshKeyring: values.meshKey,
    adminKey: values.adminKey === '' ? undefined : values.adminKey,
    rateLimitPerMinute: values.rateLimit,
    logEntriesMax: values.logEntriesMax,
    tls: readTls(values.tlsCert, values.tlsKey),
    corsOrigins: values.corsOrigins,
    tracing: wantsTracing(env),
    logLevel: values.logLevel,
  }
  if (!values.insecure) refuseExposure(config)
  return config
}

/** The settings as `--help` lists them. */
export function describeConfig(): string {
  return describeSettings(configSchema)
}

/** Whoever reaches a node without keys can change every flag, so other machines shall not reach it by accident. */
function refuseExposure({ host, meshKeyring, adminKey }: Config): void {
  if (isLoopback(host)) return
  const missing = [
    ...(meshKeyring.length === 0 ? ['--mesh-key (make one with: npx flags-mesh keygen mesh)'] : []),
    ...(adminKey === undefined ? ['--admin-key (make one with: npx flags-mesh keygen api)'] : []),
  ]
  if (missing.length === 0) return
  throw new UsageError(
    `--host ${host} lets other machines reach this node: give it ${missing.join(' and ')}, or --insecure to allow it without.`,
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

function readHost(text: string): string | null {
  return isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text) ? text : null
}

function readAdvertised(text: string): { readonly host: string } | null {
  const host = readHost(text)
  return host === null || host === '0.0.0.0' || host === '::' ? null : { host }
}

function readWhole(text: string, max: number): number | null {
  return /^\d{1,9}$/.test(text) && Number(text) <= max ? Number(text) : null
}

function atLeast(least: number, value: number | null): number | null {
  return value === null || value < least ? null : value
}

function readPort(text: string): number | null {
  return readWhole(text, 65_535)
}

function readMulticast(text: string): { readonly endpoint: Endpoint | null } | null {
  if (text === 'off') return { endpoint: null }
  const endpoint = parseAddress(text)
  if (endpoint === null || !isIPv4(endpoint.host)) return null
  const firstByte = Number.parseInt(endpoint.host, 10)
  return firstByte >= 224 && firstByte <= 239 ? { endpoint } : null
}

function readSeeds(text: string): readonly Endpoint[] | null {
  const parts = text.split(',').map((part) => part.trim())
  const endpoints = parts.filter((part) => part !== '').map(parseAddress)
  return endpoints.every((endpoint) => endpoint !== null) ? endpoints : null
}

/** Tried here, so that a node does not join a mesh before it finds that it cannot listen. */
function readTls(certFile: string, keyFile: string): Config['tls'] {
  if (certFile === '' && keyFile === '') return undefined
  if (certFile === '' || keyFile === '')
    throw new UsageError('--tls-cert and --tls-key go together: give both, or none.')
  try {
    createSecureContext({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`--tls-cert ${certFile} and --tls-key ${keyFile} cannot be used together: ${reason}.`)
  }
  return { certFile, keyFile }
}

/** Whether the variables of OpenTelemetry ask for traces: they name a collector, and do not say otherwise. */
function wantsTracing(env: NodeJS.ProcessEnv): boolean {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT
  return Boolean(endpoint) && env.OTEL_SDK_DISABLED !== 'true' && env.OTEL_TRACES_EXPORTER !== 'none'
}

function readOrigins(text: string): readonly string[] | null {
  if (text === 'off') return []
  const origins = text.split(',').map((part) => part.trim())
  const isOrigin = (origin: string) => origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)
  return origins.every(isOrigin) ? origins : null
}

function readKeyring(text: string): Keyring | null {
  try {
    return parseKeyring(text)
  } catch {
    return null
  }
}

function readSwitch(text: string): boolean | null {
  if (['true', '1', 'yes'].includes(text)) return true
  return ['false', '0', 'no'].includes(text) ? false : null
}
