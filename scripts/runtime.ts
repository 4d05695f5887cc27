import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * How a node is launched by hand-written means, the same in `npm start`, the cluster script, the tests and the container.
 *
 * `--max-semi-space-size=2` (MB): a node makes little garbage, and V8 would keep up to 48 MB for it; measured, a node with 1,000 flags
 * takes 50 MB less.
 */
export const nodeOptions: readonly string[] = ['--max-semi-space-size=2']

/**
 * What one node has compiled, with its types stripped, the others and the next start take over: halves the processor time of a
 * start, and spares the 20 MB that the stripper takes in each thread.
 */
export function compileCacheEnv(root: string): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/flags-compile') }
}

/**
 * Compiles the whole program once where nothing is compiled yet, so that many nodes which start together need not each do it.
 * Whatever goes wrong in it the nodes will meet, and tell.
 */
export async function compileAhead(root: string): Promise<void> {
  const env = compileCacheEnv(root)
  if (existsSync(String(env.NODE_COMPILE_CACHE))) return
  const url = (file: string) => JSON.stringify(pathToFileURL(join(root, 'src', file)).href)
  // The worker refuses to run outside a thread, and main.ts ends the process: by then they are compiled.
  const script = `
    await import(${url('node.ts')})
    await import(${url('storage/worker.ts')}).catch(() => {})
    process.argv.splice(1, Infinity, 'main.ts', 'help')
    await import(${url('main.ts')})`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  await once(child, 'exit')
}
