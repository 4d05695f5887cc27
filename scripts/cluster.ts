import { join } from 'node:path'
import { explain } from '../src/cli/command-error.ts'
import { formatTable } from '../src/cli/table.ts'
import { UsageError } from '../src/settings.ts'
import { type ClusterCommand, parseCommand, usage } from './cluster/arguments.ts'
import { ClusterDirectory } from './cluster/local-node.ts'
import { prefixedLog } from './cluster/logs.ts'
import { viewOf } from './cluster/mesh-view.ts'
import { startCluster } from './cluster/start.ts'

/** A mesh on this machine, for trying and developing; easy_cluster.sh is its front door. */
const root = join(import.meta.dirname, '..')
const { env } = process
// Elsewhere for tests, so that they leave alone whatever runs in this checkout.
const home = new ClusterDirectory(env.FLAGS_CLUSTER_DIR || join(root, '.cluster'))

async function run(command: ClusterCommand): Promise<number> {
  switch (command.type) {
    case 'help':
      process.stdout.write(usage)
      return 0
    case 'status':
      return showStatus()
    case 'stop':
      return stopAll()
    case 'logs':
      return showLogs(command.index)
    case 'start':
      return startCluster(command, { root, home, env })
  }
}

async function showStatus(): Promise<number> {
  const nodes = home.running()
  if (nodes.length === 0) {
    console.log('No node of this checkout runs.')
    return 0
  }
  const views = await Promise.all(nodes.map(({ url }) => viewOf(url, env.FLAGS_API_KEY || env.FLAGS_ADMIN_KEY)))
  const rows = nodes.map(({ index, pid, url }, i) => {
    const view = views[i]
    const state = view == null ? 'does not answer' : view.ready ? 'ready' : 'not ready'
    return [
      `node-${index}`,
      String(pid),
      url,
      state,
      view ? `sees ${view.alive} of ${nodes.length}` : '',
      view?.root ?? '',
    ]
  })
  process.stdout.write(formatTable([['NODE', 'PID', 'URL', 'STATE', 'MESH', 'RULESET'], ...rows]))
  return 0
}

async function stopAll(): Promise<number> {
  const nodes = home.running()
  await home.stop(nodes)
  console.log(nodes.length === 0 ? 'No node of this checkout runs.' : `stopped ${nodes.length} nodes`)
  return 0
}

function showLogs(index: number | null): number {
  const logged = home.logged()
  const wanted = index === null ? logged : logged.filter((one) => one === index)
  if (wanted.length === 0)
    throw new UsageError(index === null ? 'There are no logs.' : `There is no log of node-${index}.`)
  for (const one of wanted) process.stdout.write(prefixedLog(home.logPath(one), one))
  return 0
}

try {
  process.exitCode = await run(parseCommand(process.argv.slice(2), env, root))
} catch (error) {
  console.error(explain(error))
  process.exitCode = error instanceof UsageError ? 2 : 1
}
