import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startMarkOf } from './process-mark.ts'

/** A node that this script started, as its pid file has it. */
export interface LocalNode {
  readonly index: number
  readonly pid: number
  /** See process-mark.ts. */
  readonly startMark: string
  readonly url: string
}

/** How long a node may take to say goodbye before it is killed. */
const stopTimeoutMs = 10_000

/** The files of the nodes of one checkout: `node-i/` (data), `node-i.log`, `node-i.pid`. */
export class ClusterDirectory {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  logPath(index: number): string {
    return join(this.path, `node-${index}.log`)
  }

  dataPath(index: number): string {
    return join(this.path, `node-${index}`)
  }

  /** The nodes that run. Pid files of those that ended otherwise are removed. */
  running(): readonly LocalNode[] {
    const names = existsSync(this.path) ? readdirSync(this.path) : []
    const nodes = names.filter((name) => /^node-\d+\.pid$/.test(name)).map((name) => this.#readPidFile(name))
    return nodes.filter((node) => node !== null).sort((a, b) => a.index - b.index)
  }

  /** Numbers of the nodes that have a log. */
  logged(): readonly number[] {
    const names = existsSync(this.path) ? readdirSync(this.path) : []
    return names
      .flatMap((name) => /^node-(\d+)\.log$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  }

  empty(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  /** Starts node `index` in a session of its own, so that Ctrl-C reaches the script alone, which then stops them in order. */
  start(index: number, url: string, args: readonly string[], env: NodeJS.ProcessEnv): [LocalNode, ChildProcess] {
    mkdirSync(this.path, { recursive: true })
    const log = openSync(this.logPath(index), 'w')
    const child = spawn(process.execPath, [...args], { env, detached: true, stdio: ['ignore', log, log] })
    closeSync(log)
    const { pid } = child
    if (pid === undefined) throw new Error(`node-${index} could not be started`)
    const node = { index, pid, startMark: startMarkOf(pid) ?? '', url }
    writeFileSync(this.#pidPath(index), JSON.stringify(node))
    return [node, child]
  }

  /** Ends these nodes: politely, and after 10 s, or once `hurry` aborts, for good. */
  async stop(nodes: readonly LocalNode[], hurry?: AbortSignal): Promise<void> {
    for (const node of nodes) signal(node, 'SIGTERM')
    const endMs = performance.now() + stopTimeoutMs
    while (nodes.some(isRunning) && performance.now() < endMs && hurry?.aborted !== true) await delay(50)
    for (const node of nodes) signal(node, 'SIGKILL')
    for (const node of nodes) rmSync(this.#pidPath(node.index), { force: true })
  }

  #pidPath(index: number): string {
    return join(this.path, `node-${index}.pid`)
  }

  #readPidFile(name: string): LocalNode | null {
    const path = join(this.path, name)
    try {
      const node = JSON.parse(readFileSync(path, 'utf8')) as LocalNode
      if (isRunning(node)) return node
    } catch {
      // Cut off in the middle of writing: whatever it named has ended with the machine.
    }
    rmSync(path, { force: true })
    return null
  }
}

/** True while the very process that was started runs, and not another one that got its pid. */
export function isRunning(node: LocalNode): boolean {
  return node.startMark !== '' && startMarkOf(node.pid) === node.startMark
}

function signal(node: LocalNode, name: NodeJS.Signals): void {
  if (!isRunning(node)) return
  try {
    process.kill(node.pid, name)
  } catch {
    // It ended between the look and the signal.
  }
}
