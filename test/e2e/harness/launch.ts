import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compileCacheEnv, nodeOptions } from '../../../scripts/runtime.ts'

/** The checkout. */
const root = join(import.meta.dirname, '../../..')
const startDeadlineMs = 45_000

export interface NodeProcess {
  readonly url: string
  readonly pid: number
  /** Log lines so far. */
  readonly log: readonly Record<string, unknown>[]
  /** Sends the signal and resolves once the process is gone, with its exit code, or null when the signal ended it. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>
}

export interface LaunchOptions {
  readonly env?: NodeJS.ProcessEnv
  /** A command that runs the rest of its line in its own place, like `ip netns exec NAME`. */
  readonly within?: readonly string[]
}

/** Starts `node src/main.ts` with these arguments. Whoever calls sees to its end. */
export function spawnMain(args: readonly string[], { env = {}, within = [] }: LaunchOptions = {}): ChildProcess {
  const [command = process.execPath, ...rest] = [
    ...within,
    process.execPath,
    ...nodeOptions,
    join(root, 'src/main.ts'),
    ...args,
  ]
  return spawn(command, rest, {
    env: { ...compileCacheEnv(root), ...withoutSettings(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The settings of whoever runs the tests are none of theirs. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FLAGS_')))
}

/** Resolves once the node logs that it is ready. Rejects, saying why, when it ends before or takes too long. */
export async function whenReady(child: ChildProcess, deadlineMs = startDeadlineMs): Promise<NodeProcess> {
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
  const url = await Promise.race([ready, failing(exited, errors), expiring(child, deadlineMs)])
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

async function failing(
  exited: Promise<[number | null, NodeJS.Signals | null]>,
  errors: readonly string[],
): Promise<never> {
  const [code, signal] = await exited
  throw new Error(`the node ended (${signal ?? `exit code ${code}`}) before it was ready: ${errors.join('')}`)
}

function expiring(child: ChildProcess, deadlineMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the node was not ready in ${deadlineMs} ms`)), deadlineMs)
    timer.unref()
    child.once('exit', () => clearTimeout(timer))
  })
}
