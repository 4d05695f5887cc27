import { type Config, describeConfig, readConfig } from '../config.ts'
import { UsageError } from '../settings.ts'
import { explain } from './command-error.ts'
import { processTerminal, type Terminal } from './terminal.ts'

const serveHelp = `Usage: flags-mesh [serve] [options]

Runs one node until SIGINT or SIGTERM. Each setting is an option and a variable; the option wins.

${describeConfig()}
  --help                    This page.

Other commands: import, export, eval, members, audit, history, rollback, keys, keygen; see flags-mesh help.
`

/**
 * Runs what the command line asks for, and resolves with the exit code: 0 done, 1 failed, 2 bad usage. `serve` runs a
 * node until it is told to stop. Everything but `serve` is loaded only when asked for, to keep the start of a node short.
 */
export async function runCli(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  serve: (config: Config) => Promise<void>,
  terminal: Terminal = processTerminal,
): Promise<number> {
  const [first = 'serve', ...rest] = argv
  const serves = first === 'serve' || first.startsWith('-')
  try {
    if (!serves) return await (await import('./commands.ts')).runCommand(argv, env, terminal)
    const options = first === 'serve' ? rest : argv
    if (options.includes('--help') || options.includes('-h')) terminal.out(serveHelp)
    else await serve(readConfig(options, env))
    return 0
  } catch (error) {
    terminal.err(`${explain(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}
