import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const startDeadlineMs = 45_000

export interface NodeOptions {
  readonly dataDir: string
  /** Mesh name; one a test, so that tests that run at once do not meet. */
  readonly cluster: string
  /** Further options of the command line. */
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

export interface NodeProcess {
  readonly url: string
  readonly pid: number
  /** Log lines so far. */
  readonly log: readonly Record<string, unknown>[]
  /** Sends the signal and resolves once the process is gone, with its exit code, or null when the signal ended it. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>
}

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A directory that goes with the test. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'flags-e2e-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A mesh name that nothing else on this machine uses. */
export function uniqueCluster(): string {
  return `e2e-${process.pid}-${Math.random().toString(36).slice(2, 10)}`
}

/** Starts `node src/main.ts` and waits until it is ready. Whatever happens, it ends with the test. */
export async function startNode(options: NodeOptions): Promise<NodeProcess> {
  const ports = ['--host', '127.0.0.1', '--port', '0', '--mesh-port', '0']
  const own = [...ports, '--data-dir', options.dataDir, '--cluster', options.cluster]
  const child = spawnMain([...own, ...(options.args ?? [])], options.env)
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const log: Record<string, unknown>[] = []
  const errors: string[] = []
  child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }).on('line', (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>
      log.push(entry)
      if (entry.msg === 'ready') resolve(String(entry.url))
    })
  })
  const url = await Promise.race([ready, failing(exited, errors), expiring(child)])
  return {
    url,
    pid: child.pid as number,
    log,
    async end(signal) {
      child.kill(signal)
      return (await exited)[0]
    },
  }
}

/** Runs `node src/main.ts` with these arguments to its end. */
export async function runMain(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawnMain(args, env)
  let [out, err] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

function spawnMain(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const cache = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/flags-compile') }
  const child = spawn(process.execPath, [join(root, 'src/main.ts'), ...args], {
    env: { ...cache, ...withoutSettings(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** The settings of whoever runs the tests are none of theirs. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FLAGS_')))
}

async function failing(
  exited: Promise<[number | null, NodeJS.Signals | null]>,
  errors: readonly string[],
): Promise<never> {
  const [code, signal] = await exited
  throw new Error(`the node ended (${signal ?? `exit code ${code}`}) before it was ready: ${errors.join('')}`)
}

function expiring(child: ChildProcess): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the node was not ready in ${startDeadlineMs} ms`)),
      startDeadlineMs,
    )
    timer.unref()
    child.once('exit', () => clearTimeout(timer))
  })
}
