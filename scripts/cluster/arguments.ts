import { createHash } from 'node:crypto'
import { type Config, readConfig } from '../../src/config.ts'
import { UsageError } from '../../src/settings.ts'

/** Nodes that one machine is asked to run at most: what a laptop still starts within a minute. */
export const nodesMax = 64

export const usage = `Usage: ./easy_cluster.sh N [--detach] [--fresh] [--import FILE] [options of a node]
       ./easy_cluster.sh status | stop | logs [i]

Starts N nodes (1-${nodesMax}) on this machine as one mesh and waits until each sees all N. Ctrl-C stops them.
Node i listens on FLAGS_BASE_PORT (8080) + i and keeps its data in .cluster/node-i/.

  --detach        leave them running in the background
  --fresh         empty .cluster/ first
  --import FILE   load flags from FILE once the mesh stands
  status          what runs
  stop            stop what runs
  logs [i]        the logs of all nodes, or of node i

Any other option is passed on to every node: npm start -- --help lists them.
`

export interface StartCommand {
  readonly type: 'start'
  readonly nodes: number
  readonly basePort: number
  readonly detach: boolean
  readonly fresh: boolean
  readonly importFile: string | null
  /** Options for every node. */
  readonly passedOn: readonly string[]
  /** What they come to, checked. */
  readonly config: Config
}

export type ClusterCommand =
  | StartCommand
  | { readonly type: 'help' | 'status' | 'stop' }
  | { readonly type: 'logs'; readonly index: number | null }

/** Understands the command line. Throws UsageError. `root` is the checkout. */
export function parseCommand(argv: readonly string[], env: NodeJS.ProcessEnv, root: string): ClusterCommand {
  const [first, ...rest] = argv
  if (first === undefined) throw new UsageError(`How many nodes? ./easy_cluster.sh 5 starts five; see --help.`)
  if (argv.includes('--help') || argv.includes('-h')) return { type: 'help' }
  if (first === 'status' || first === 'stop') {
    if (rest.length > 0) throw new UsageError(`${first} takes no arguments, like ${rest[0]}.`)
    return { type: first }
  }
  if (first === 'logs') return { type: 'logs', index: parseLogsIndex(rest) }
  return parseStart(argv, env, root)
}

function parseLogsIndex([text, ...more]: readonly string[]): number | null {
  if (text === undefined) return null
  if (more.length > 0 || !/^\d{1,2}$/.test(text))
    throw new UsageError('logs takes the number of one node, like logs 0.')
  return Number(text)
}

/** The number comes first: after an option that is passed on, it could as well be that option's value. */
function parseStart([count = '', ...argv]: readonly string[], env: NodeJS.ProcessEnv, root: string): StartCommand {
  const passedOn: string[] = []
  let importFile: string | null = null
  const own = { detach: false, fresh: false }
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string
    if (word === '--detach') own.detach = true
    else if (word === '--fresh') own.fresh = true
    else if (word === '--import') importFile = argv[++i] ?? null
    else if (word.startsWith('--import=')) importFile = word.slice('--import='.length)
    else passedOn.push(word)
  }
  if (argv.some((word) => word === '--import' || word === '--import=') && !importFile)
    throw new UsageError('--import wants a file.')
  for (const option of ['--port', '--data-dir'])
    if (passedOn.some((word) => word === option || word.startsWith(`${option}=`)))
      throw new UsageError(`Each node has its own ${option}; set FLAGS_BASE_PORT to use other ports.`)
  const nodes = parseWhole(count, 'The number of nodes', 1, nodesMax)
  const basePort = parseWhole(env.FLAGS_BASE_PORT || '8080', 'FLAGS_BASE_PORT', 1, 65_536 - nodes)
  const options = [...ownDefaults(env, root), ...passedOn]
  return { type: 'start', nodes, basePort, ...own, importFile, passedOn: options, config: readConfig(options, env) }
}

/**
 * A mesh name of this checkout's own, so that two of them on one machine do not merge by accident; and mesh ports that
 * the system chooses, as many nodes that start at once would fight for the next free one.
 */
function ownDefaults(env: NodeJS.ProcessEnv, root: string): readonly string[] {
  const cluster = `easy-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`
  return [...(env.FLAGS_CLUSTER ? [] : ['--cluster', cluster]), ...(env.FLAGS_MESH_PORT ? [] : ['--mesh-port', '0'])]
}

function parseWhole(text: string, name: string, min: number, max: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not '${text}'; see --help.`)
}
