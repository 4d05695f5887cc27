import { isIP, isIPv4, isIPv6 } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import type { Address } from '../replica/ports.ts'

/** Host and port of an address, the host without brackets. */
export interface Endpoint {
  readonly host: string
  /** 1-65535. */
  readonly port: number
}

/** Characters of an address: a name of 253, brackets or not, a colon and five digits. */
export const addressCharactersMax = 260

const pattern = /^(?:([a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?)|\[([0-9a-f:.]{2,45})\]):([1-9][0-9]{0,4})$/i

/** The parts of `host:port` or `[v6]:port`; null when it is neither. */
export function parseAddress(address: string): Endpoint | null {
  if (address.length > addressCharactersMax) return null
  const match = pattern.exec(address)
  if (match === null) return null
  const host = match[1] ?? match[2] ?? ''
  const port = Number(match[3])
  if (port > 65_535 || (match[2] !== undefined && !isIPv6(host))) return null
  return { host, port }
}

/** `host:port`, with brackets around an IPv6 host. */
export function formatAddress(endpoint: Endpoint): Address {
  return isIPv6(endpoint.host) ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`
}

/**
 * The host that peers are told: `advertise` if given, else `host`, else (bound to all addresses) the first outward
 * address of this machine. Throws an Error when the machine has none.
 */
export function advertisedHost(host: string, advertise: string | null): string {
  if (advertise !== null) return advertise
  if (host !== '0.0.0.0' && host !== '::') return host
  const outward = outwardInterfaces().find((info) => info.family === (host === '::' ? 'IPv6' : 'IPv4'))
  if (outward === undefined) {
    throw new Error(`This machine has no outward address to tell its peers; set --advertise`)
  }
  return outward.address
}

/** IPv4 addresses of the interfaces on which a node bound to `host` announces itself; none for an IPv6 host. */
export function multicastInterfaces(host: string): readonly string[] {
  if (host === '0.0.0.0') return outwardInterfaces().flatMap((info) => (info.family === 'IPv4' ? [info.address] : []))
  if (isIPv4(host)) return [host]
  return host === 'localhost' ? ['127.0.0.1'] : []
}

/** True for a host that is an address and needs no look-up. */
export function isLiteral(host: string): boolean {
  return isIP(host) !== 0
}

function outwardInterfaces(): readonly NetworkInterfaceInfo[] {
  const all = Object.values(networkInterfaces()).flatMap((infos) => infos ?? [])
  return all.filter((info) => !info.internal && !info.address.startsWith('fe80:'))
}
