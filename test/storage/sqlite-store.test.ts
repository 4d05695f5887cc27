import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test } from 'vitest'
import { SqliteStore } from '../../src/storage/sqlite-store.ts'
import { notesAt, plain, recordOf, stampAt } from './records.ts'
import { acceptRegisterStore } from './register-store.acceptance.ts'

const directories: string[] = []
const children: ChildProcess[] = []

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'flags-store-'))
  directories.push(directory)
  return directory
}

function discardAll(): void {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
}

afterEach(discardAll)

acceptRegisterStore({
  name: 'sqlite',
  durable: true,
  makePlace: () => {
    const directory = makeDirectory()
    return { open: () => new SqliteStore(directory), discard: discardAll }
  },
})

/** The fixture in its own process; `wrapper` is a command that runs it. */
function appendForever(directory: string, wrapper: readonly string[] = []): { child: ChildProcess; lines: Interface } {
  const fixture = join(import.meta.dirname, 'fixtures/append-forever.ts')
  const [command, ...args] = [...wrapper, process.execPath, fixture, directory, '2000']
  const child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return { child, lines: createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }) }
}

async function storeWith(directory: string, count: number): Promise<string> {
  const store = new SqliteStore(directory)
  const { nodeId } = await store.load()
  const text = 'some value '.repeat(30)
  await store.append(
    Array.from({ length: count }, (_, i) => recordOf(`k${i}`, 1, text)),
    notesAt(1),
  )
  await store.close()
  return nodeId
}

test('every append that was acknowledged survives kill -9, and so does the identity', async () => {
  const directory = makeDirectory()
  const identities = new Set<string>()
  for (const acknowledgedMin of [1, 200, 40]) {
    const { child, lines } = appendForever(directory)
    const acknowledged: string[] = []
    for await (const line of lines) {
      const [word, subject = ''] = line.split(' ')
      if (word === 'id') identities.add(subject)
      if (word === 'ok') acknowledged.push(`k${subject}`)
      if (acknowledged.length === acknowledgedMin) child.kill('SIGKILL')
    }
    expect(child.signalCode ?? (await once(child, 'exit'))[1]).toBe('SIGKILL')
    expect(acknowledged.length).toBeGreaterThanOrEqual(acknowledgedMin)

    const store = new SqliteStore(directory)
    const loaded = await store.load()
    identities.add(loaded.nodeId)
    const keys = new Set(loaded.records.map(({ key }) => key))
    expect(acknowledged.filter((key) => !keys.has(key))).toEqual([])
    expect(loaded.salvaged).toBeNull()
    await store.close()
  }
  expect(identities.size).toBe(1)
})

test('a directory in use is refused with the pid of its owner, and free once that one was killed', async () => {
  const directory = makeDirectory()
  const { child, lines } = appendForever(directory)
  await once(lines, 'line')
  const refused = new SqliteStore(directory)
  await expect(refused.load()).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining(`in use by another process (pid ${child.pid})`),
  })
  await expect(refused.append([], notesAt(1))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await refused.close()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const store = new SqliteStore(directory)
  await expect(store.load()).resolves.toMatchObject({ salvaged: null })
  await store.close()
})

const hasPrlimit = existsSync('/usr/bin/prlimit')

test.skipIf(!hasPrlimit)('a full disk refuses appends and says why, and room again clears it', async () => {
  const directory = makeDirectory()
  // A limit on the size of a file stands for the full disk: it needs no privileges, and can be lifted from outside.
  const { child, lines } = appendForever(directory, ['/usr/bin/prlimit', '--fsize=1000000:unlimited'])
  const acknowledged: string[] = []
  let refusals = 0
  for await (const line of lines) {
    const [word, subject, ...rest] = line.split(' ')
    if (word === 'ok') acknowledged.push(`k${subject}`)
    if (word === 'ok' && refusals > 0) {
      expect(rest.join(' ')).toBe('sound')
      break
    }
    if (word !== 'no') continue
    expect(rest.join(' ')).toMatch(/^FlagsError: .+ \| .+/)
    expect(line).not.toContain('| null')
    if (++refusals === 5) spawn('/usr/bin/prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
  }
  expect(refusals).toBeGreaterThanOrEqual(5)
  child.kill('SIGKILL')
  await once(child, 'exit')

  const store = new SqliteStore(directory)
  const loaded = await store.load()
  const keys = new Set(loaded.records.map(({ key }) => key))
  expect(acknowledged.filter((key) => !keys.has(key))).toEqual([])
  await store.close()
})

function execute(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const content = readFileSync(path)
  content.set(bytes, offset)
  writeFileSync(path, content)
}

/** Flips one bit of the value of one row, which SQLite itself does not check: in every copy that moving left behind. */
function flipBitOfValue(path: string): void {
  const row = `k77${stampAt(1)}s`
  const content = readFileSync(path)
  for (let at = content.indexOf(row); at >= 0; at = content.indexOf(row, at + 1))
    overwrite(path, at + row.length - 1, new Uint8Array(['s'.charCodeAt(0) ^ 1]))
}

test.each<[string, (path: string) => void]>([
  ['overwritten from the start', (path) => overwrite(path, 0, new Uint8Array(4096).fill(0xa5))],
  ['overwritten inside a page', (path) => overwrite(path, 3 * 4096, new Uint8Array(2048).fill(0xff))],
  ['cut in half', (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2 / 4096) * 4096)],
  ['one bit of one value flipped', flipBitOfValue],
  ['not a database at all', (path) => writeFileSync(path, 'what is this?'.repeat(1000))],
  ['the row of the node changed', (path) => execute(path, "UPDATE node SET id = 'ffffffffffffffff'")],
])('a file %s is moved aside, and the node begins anew with a new identity', async (_fault, damage) => {
  const directory = makeDirectory()
  const nodeId = await storeWith(directory, 200)
  const path = join(directory, 'flags.db')
  damage(path)
  const damaged = readFileSync(path)

  const store = new SqliteStore(directory)
  const loaded = await store.load()
  expect(loaded.records).toEqual([])
  expect(loaded.nodeId).not.toBe(nodeId)
  expect(loaded.salvaged).toMatch(/flags\.db\.corrupt-/)
  expect(readFileSync(loaded.salvaged as string).equals(damaged)).toBe(true)
  await store.append([recordOf('new', 1, 'v')], notesAt(1))
  await store.close()

  const again = new SqliteStore(directory)
  expect(await again.load()).toMatchObject({ nodeId: loaded.nodeId, salvaged: null })
  await again.close()
})

test('a sound file is left alone: the damage of the test above is what moves it', async () => {
  const directory = makeDirectory()
  const nodeId = await storeWith(directory, 200)
  const store = new SqliteStore(directory)
  const loaded = await store.load()
  expect(loaded).toMatchObject({ nodeId, salvaged: null })
  expect(loaded.records).toHaveLength(200)
  expect(readdirSync(directory).filter((name) => name.includes('corrupt'))).toEqual([])
  await store.close()
})

test('a file of a newer server is refused and left as it is', async () => {
  const directory = makeDirectory()
  await storeWith(directory, 1)
  execute(join(directory, 'flags.db'), 'PRAGMA user_version = 99')
  const store = new SqliteStore(directory)
  await expect(store.load()).rejects.toThrow(/schema 99 .* newer server/)
  await store.close()
  expect(readdirSync(directory).filter((name) => name.includes('corrupt'))).toEqual([])
})

test('a directory that cannot be made is refused with what to do', async () => {
  const file = join(makeDirectory(), 'file')
  writeFileSync(file, '')
  const store = new SqliteStore(join(file, 'data'))
  await expect(store.load()).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringMatching(/cannot be used .* choose another --data-dir/),
  })
  await store.close()
})

test('appends made before the store has loaded are kept', async () => {
  const directory = makeDirectory()
  const store = new SqliteStore(directory)
  await store.append([recordOf('early', 1, 'v')], notesAt(1))
  await store.close()
  const again = new SqliteStore(directory)
  expect(plain((await again.load()).records)).toEqual(plain([recordOf('early', 1, 'v')]))
  await again.close()
})
