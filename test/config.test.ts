import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { describeConfig, readConfig } from '../src/config.ts'
import { UsageError } from '../src/settings.ts'

const meshKey = randomBytes(32).toString('base64')
const adminKey = 'an-admin-key-of-some-length'

function complaintOf(argv: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  try {
    readConfig(argv, env)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'none'
}

function fileWith(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'flags-config-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'secret')
  writeFileSync(path, content)
  return path
}

test('without options or variables the defaults of the contract hold', () => {
  expect(readConfig([], {})).toEqual({
    host: '127.0.0.1',
    port: 8080,
    meshPort: 7946,
    meshPortFixed: false,
    advertise: null,
    cluster: 'flags',
    multicast: { host: '239.255.70.71', port: 7947 },
    seeds: [],
    dataDir: join('data', '8080'),
    meshKeyring: [],
    adminKey: undefined,
    rateLimitPerMinute: 1000,
    logEntriesMax: 100_000,
    tls: undefined,
    corsOrigins: ['*'],
    tracing: false,
    logLevel: 'info',
  })
})

test('an option wins over its variable, and a variable over the default', () => {
  expect(readConfig(['--port', '9001'], { FLAGS_PORT: '9002', FLAGS_CLUSTER: 'blue' })).toMatchObject({
    port: 9001,
    cluster: 'blue',
    dataDir: join('data', '9001'),
  })
  expect(readConfig(['--port=9001', '--port=9003'], {}).port).toBe(9003)
})

test('an empty variable counts as one that is not set', () => {
  expect(readConfig([], { FLAGS_PORT: '', FLAGS_MESH_KEY: '', FLAGS_ADMIN_KEY: '' })).toEqual(readConfig([], {}))
})

test('a mesh port set by hand is fixed, and 0 is none', () => {
  expect(readConfig(['--mesh-port', '7946'], {}).meshPortFixed).toBe(true)
  expect(readConfig([], { FLAGS_MESH_PORT: '7950' }).meshPortFixed).toBe(true)
  expect(readConfig(['--mesh-port', '0'], {}).meshPortFixed).toBe(false)
})

test('seeds are addresses with ports, separated by commas', () => {
  expect(readConfig(['--seeds', 'a.example:7946, [::1]:7947,10.0.0.5:1,'], {}).seeds).toEqual([
    { host: 'a.example', port: 7946 },
    { host: '::1', port: 7947 },
    { host: '10.0.0.5', port: 1 },
  ])
})

test('multicast can be off', () => {
  expect(readConfig(['--multicast', 'off'], {}).multicast).toBeNull()
})

test('a variable that ends in _FILE names the file of a secret, and the variable itself and the option win over it', () => {
  const env = {
    FLAGS_ADMIN_KEY_FILE: fileWith(`${adminKey}\n`),
    FLAGS_MESH_KEY_FILE: fileWith(`${meshKey},\n${meshKey}\n`),
  }
  expect(readConfig([], env).adminKey).toBe(adminKey)
  expect(readConfig([], env).meshKeyring).toHaveLength(2)
  expect(readConfig([], { ...env, FLAGS_ADMIN_KEY: 'from-the-variable' }).adminKey).toBe('from-the-variable')
  expect(readConfig(['--mesh-key', meshKey], env).meshKeyring).toHaveLength(1)
})

test.each([
  [['--prot', '1'], 'There is no option --prot'],
  [['-p', '1'], 'There is no option -p'],
  [['--no-insecure'], 'There is no option --no-insecure'],
  [['--port'], '--port wants a value'],
  [['stray'], 'no place for the argument stray'],
  [['--port', '65536'], "--port must be a whole number from 0 to 65535, not '65536'"],
  [['--port', '80.5'], "not '80.5'"],
  [['--port', ''], "--port must be a whole number from 0 to 65535, not ''"],
  [['--mesh-port', '-1'], "--mesh-port must be a whole number from 0 to 65535, not '-1'"],
  [['--host', 'a b'], "--host must be an address or a host name, not 'a b'"],
  [['--advertise', '0.0.0.0'], '--advertise must be'],
  [['--advertise', 'host:1'], '--advertise must be'],
  [['--cluster', 'a/b'], '--cluster must be'],
  [['--multicast', '10.0.0.1:7947'], '--multicast must be'],
  [['--multicast', '239.255.70.71'], '--multicast must be'],
  [['--seeds', 'a.example'], '--seeds must be'],
  [['--seeds', 'a.example:0'], '--seeds must be'],
  [['--insecure=maybe'], "--insecure must be true or false, not 'maybe'"],
  [['--rate-limit', '-5'], '--rate-limit must be'],
  [['--log-entries-max', '999'], '--log-entries-max must be'],
  [['--cors-origins', 'shop.example'], '--cors-origins must be'],
  [['--cors-origins', 'https://shop.example/'], '--cors-origins must be'],
  [['--log-level', 'loud'], "--log-level must be one of trace, debug, info, warn, error, fatal, silent, not 'loud'"],
])('%j is refused and named', (argv, complaint) => {
  expect(complaintOf(argv)).toContain(complaint)
})

test('every setting that is wrong is named, by the option or variable that gave it', () => {
  const complaints = complaintOf(['--port', 'x'], { FLAGS_LOG_LEVEL: 'loud' }).split('\n')
  expect(complaints).toHaveLength(2)
  expect(complaints[0]).toContain('--port')
  expect(complaints[1]).toContain('FLAGS_LOG_LEVEL')
})

test.each([
  'short',
  'bm90IDMyIGJ5dGVzLCBub3QgMzI=',
  `${meshKey},oops-secret`,
  `${meshKey.slice(0, 20)}*${meshKey.slice(21)}`,
])('the mesh key %s is refused without showing it', (key) => {
  for (const complaint of [complaintOf(['--mesh-key', key]), complaintOf([], { FLAGS_MESH_KEY: key })]) {
    expect(complaint).toMatch(/mesh-key must be|FLAGS_MESH_KEY must be/)
    expect(complaint).toContain('npx flags-mesh keygen mesh')
    expect(complaint).not.toContain(key)
  }
})

test('an admin key that can be guessed is refused without showing it', () => {
  const complaint = complaintOf([], { FLAGS_ADMIN_KEY: 'hunter2' })
  expect(complaint).toContain('FLAGS_ADMIN_KEY must be at least 16 characters')
  expect(complaint).not.toContain('hunter2')
})

test('origins are a list, any, or none', () => {
  const originsOf = (text: string) => readConfig(['--cors-origins', text], {}).corsOrigins
  expect(originsOf('https://shop.example, http://localhost:3000')).toEqual([
    'https://shop.example',
    'http://localhost:3000',
  ])
  expect(originsOf('*')).toEqual(['*'])
  expect(originsOf('off')).toEqual([])
})

test('a certificate and its key go together, and are tried before the node starts', () => {
  const fixture = (name: string) => fileURLToPath(new URL(`http/fixtures/${name}.pem`, import.meta.url))
  const tlsOf = (cert: string, key: string) => ['--tls-cert', cert, '--tls-key', key]
  const [certFile, keyFile] = [fixture('first.cert'), fixture('first.key')]
  expect(readConfig(tlsOf(certFile, keyFile), {}).tls).toEqual({ certFile, keyFile })
  expect(complaintOf(['--tls-cert', certFile])).toContain('go together')
  expect(complaintOf(['--tls-key', keyFile])).toContain('go together')
  expect(complaintOf(tlsOf(certFile, fixture('second.key')))).toContain('cannot be used together')
  expect(complaintOf(tlsOf('/nowhere/cert.pem', keyFile))).toContain('/nowhere/cert.pem')
})

test('the file of a secret that is not there is named by its variable', () => {
  expect(complaintOf([], { FLAGS_MESH_KEY_FILE: '/nowhere/at-all' })).toContain('FLAGS_MESH_KEY_FILE')
})

test.each(['0.0.0.0', '::', '10.1.2.3', 'flags.internal'])('the host %s wants both keys, or --insecure', (host) => {
  expect(complaintOf(['--host', host])).toMatch(
    /--mesh-key .*keygen mesh.* and --admin-key .*keygen api.* or --insecure/,
  )
  expect(complaintOf(['--host', host, '--mesh-key', meshKey])).toMatch(/give it --admin-key/)
  expect(complaintOf(['--host', host, '--admin-key', adminKey])).toMatch(/give it --mesh-key/)
  expect(readConfig(['--host', host, '--mesh-key', meshKey, '--admin-key', adminKey], {}).host).toBe(host)
  expect(readConfig(['--host', host, '--insecure'], {}).host).toBe(host)
  expect(readConfig(['--host', host], { FLAGS_INSECURE: '1' }).host).toBe(host)
})

test.each(['127.0.0.1', '127.8.9.10', '::1', 'localhost'])('the host %s needs no keys', (host) => {
  expect(readConfig(['--host', host], {}).host).toBe(host)
})

test('the help names the option, the variable and the default of each setting', () => {
  const help = describeConfig()
  for (const [option, variable, preset] of [
    ['--port PORT', 'FLAGS_PORT', '8080'],
    ['--multicast GROUP:PORT', 'FLAGS_MULTICAST', '239.255.70.71:7947'],
    ['--mesh-key KEY,...', 'FLAGS_MESH_KEY, FLAGS_MESH_KEY_FILE', 'none'],
    ['--data-dir DIR', 'FLAGS_DATA_DIR', './data/PORT'],
  ] as const) {
    expect(help).toContain(option)
    expect(help).toContain(`[${variable}; default: ${preset}]`)
  }
})
