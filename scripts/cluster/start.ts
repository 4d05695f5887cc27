import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from '../../src/cli/command-error.ts'
import { importDocument } from '../../src/cli/import-document.ts'
import { processTerminal } from '../../src/cli/terminal.ts'
import { compileAhead, compileCacheEnv, nodeOptions } from '../runtime.ts'
import type { StartCommand } from './arguments.ts'
import { firstTakenPort } from './free-ports.ts'
import { type ClusterDirectory, isRunning, type LocalNode } from './local-node.ts'
import { followLogs, lastLines } from './logs.ts'
import { waitForMesh } from './mesh-view.ts'

/** Starting takes each node a share of the processors: a minute, and a second more for each. */
const readyDeadlineMs = (nodes: number) => 60_000 + nodes * 1_000

export interface StartParts {
  readonly root: string
  readonly home: ClusterDirectory
  readonly env: NodeJS.ProcessEnv
}

/** Starts the nodes, waits for the mesh, and stays until Ctrl-C unless detached. Resolves with the exit code; throws CommandError. */
export async function startCluster(command: StartCommand, parts: StartParts): Promise<number> {
  const { home, env } = parts
  await checkStart(command, home)
  if (command.fresh) home.empty()
  const interrupts = new Interrupts()
  console.error(`starting ${command.nodes} nodes ...`)
  const startedMs = performance.now()
  await compileAhead(parts.root)
  const started = startNodes(command, parts)
  const nodes = started.map(([node]) => node)
  try {
    await awaitMesh(command, nodes, home, env, interrupts, startedMs)
  } catch (error) {
    await home.stop(nodes, interrupts.second)
    if (interrupts.first.aborted) return 130
    throw error
  }
  if (command.detach) {
    for (const [, child] of started) child.unref()
    return 0
  }
  return stay(started, home, interrupts)
}

async function checkStart(
  { nodes, basePort, config, importFile }: StartCommand,
  home: ClusterDirectory,
): Promise<void> {
  const running = home.running()
  if (running.length > 0)
    throw new CommandError(
      `${running.length} nodes of this checkout run already: stop them first with ./easy_cluster.sh stop.`,
    )
  if (importFile !== null && !existsSync(importFile))
    throw new CommandError(`There is no file ${importFile} to import.`)
  const taken = await firstTakenPort(config.host, basePort, nodes)
  if (taken !== null)
    throw new CommandError(
      `Port ${taken} of node-${taken - basePort} is in use: stop what listens there, or set FLAGS_BASE_PORT to another.`,
    )
}

function startNodes(
  { nodes, basePort, passedOn, config }: StartCommand,
  parts: StartParts,
): [LocalNode, ChildProcess][] {
  const host = config.host === '0.0.0.0' ? '127.0.0.1' : config.host === '::' ? '::1' : config.host
  const env = { ...compileCacheEnv(parts.root), ...parts.env }
  return Array.from({ length: nodes }, (_, index) => {
    const port = basePort + index
    const own = ['--port', String(port), '--data-dir', parts.home.dataPath(index)]
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
    return parts.home.start(
      index,
      url,
      [...nodeOptions, join(parts.root, 'src/main.ts'), 'serve', ...own, ...passedOn],
      env,
    )
  })
}

async function awaitMesh(
  { importFile, config }: StartCommand,
  nodes: readonly LocalNode[],
  home: ClusterDirectory,
  env: NodeJS.ProcessEnv,
  interrupts: Interrupts,
  startedMs: number,
): Promise<void> {
  const apiKey = env.FLAGS_API_KEY || config.adminKey
  const giveUp = () => {
    if (interrupts.first.aborted) return 'interrupted'
    const ended = nodes.find((node) => !isRunning(node))
    return ended === undefined ? null : `node-${ended.index} has ended:\n${lastLines(home.logPath(ended.index), 5)}`
  }
  const wait = async () => {
    const missing = await waitForMesh(nodes, apiKey, { deadlineMs: readyDeadlineMs(nodes.length), giveUp })
    if (missing !== null) throw new CommandError(`The mesh does not stand: ${missing}`)
  }
  await wait()
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  if (importFile !== null) {
    const clientEnv = { ...env, FLAGS_URL: nodes[0]?.url, ...(apiKey !== undefined && { FLAGS_API_KEY: apiKey }) }
    await importDocument(importFile, {}, clientEnv, processTerminal)
    await wait()
  }
  for (const { index, url } of nodes) console.log(`node-${index} ${url}`)
  console.log(`mesh of ${nodes.length} nodes ready in ${seconds} s`)
}

/** Shows the logs until Ctrl-C, or until no node is left. */
async function stay(
  started: readonly [LocalNode, ChildProcess][],
  home: ClusterDirectory,
  interrupts: Interrupts,
): Promise<number> {
  const nodes = started.map(([node]) => node)
  const logs = nodes.map(({ index }) => ({ index, path: home.logPath(index) }))
  const unfollow = followLogs(logs, (text) => process.stdout.write(text))
  for (const [{ index }, child] of started)
    child.once('exit', (code, signal) => {
      if (!interrupts.first.aborted) console.error(`node-${index} has ended (${signal ?? `exit code ${code}`})`)
    })
  const ended = Promise.all(started.map(([, child]) => new Promise((resolve) => child.once('exit', resolve))))
  await Promise.race([interrupts.wait(), ended])
  await home.stop(nodes, interrupts.second)
  unfollow()
  return interrupts.first.aborted ? 0 : 1
}

/** Ctrl-C and its relatives: the first asks to stop, the second to hurry. */
class Interrupts {
  readonly #first = new AbortController()
  readonly #second = new AbortController()

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(name, () => (this.#first.signal.aborted ? this.#second : this.#first).abort())
  }

  get first(): AbortSignal {
    return this.#first.signal
  }

  get second(): AbortSignal {
    return this.#second.signal
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      if (this.first.aborted) resolve()
      this.first.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}
