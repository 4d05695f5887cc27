import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type LaunchOptions, type NodeProcess, spawnMain, whenReady } from './launch.ts'

export type { NodeProcess } from './launch.ts'

export interface NodeOptions extends LaunchOptions {
  readonly dataDir: string
  /** Mesh name; one a test, so that tests that run at once do not meet. */
  readonly cluster: string
  /** Further options of the command line; the last of several wins. */
  readonly args?: readonly string[]
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
export function startNode({ dataDir, cluster, args = [], ...options }: NodeOptions): Promise<NodeProcess> {
  const ports = ['--host', '127.0.0.1', '--port', '0', '--mesh-port', '0']
  return whenReady(spawnForTest([...ports, '--data-dir', dataDir, '--cluster', cluster, ...args], options))
}

/** Runs `node src/main.ts` with these arguments to its end. */
export async function runMain(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawnForTest(args, { env })
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

function spawnForTest(args: readonly string[], options: LaunchOptions): ChildProcess {
  const child = spawnMain(args, options)
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}
