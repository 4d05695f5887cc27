#!/usr/bin/env node
import { enableCompileCache, flushCompileCache } from 'node:module'

// Before anything else is loaded: compiled code is reused by the next start, and by the next node on this machine.
enableCompileCache()

const { runCli } = await import('./cli/cli.ts')

async function serve(config: import('./config.ts').Config): Promise<void> {
  // First of all: process 1 of a container, which has no handler, ignores the signal that asks it to stop.
  const signalled = new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name))
  })
  const { startNode } = await import('./node.ts')
  const node = await Promise.race([startNode(config), signalled.then(() => null)])
  // It has answered nobody yet, and what is on its disk is whole at every moment.
  if (node === null) return
  // Not at the exit: a node that is killed leaves the cache to the next one all the same, and so does one that runs for months.
  flushCompileCache()
  node.logger.info({ signal: await signalled }, 'stopping')
  await node.stop()
}

process.exit(await runCli(process.argv.slice(2), process.env, serve))
