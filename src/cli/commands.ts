import { Command, CommanderError, Option } from 'commander'
import { roles } from '../catalog/api-keys.ts'
import { describeConfig } from '../config.ts'
import { evaluateFlag } from './evaluate-flag.ts'
import { exportDocument } from './export-document.ts'
import { rollBack, showHistory } from './flag-history.ts'
import { generateKey } from './generate-key.ts'
import { importDocument } from './import-document.ts'
import { listAudit } from './list-audit.ts'
import { listMembers } from './list-members.ts'
import { createKey, listKeys, revokeKey } from './manage-keys.ts'
import type { Terminal } from './terminal.ts'
import { verifyAudit } from './verify-audit.ts'

const talks = '\nTalks to the node at FLAGS_URL (http://127.0.0.1:8080) with the API key FLAGS_API_KEY.'

/** Every command but `serve`. Resolves with the exit code, but throws CommandError for the caller to tell. */
export async function runCommand(argv: readonly string[], env: NodeJS.ProcessEnv, terminal: Terminal): Promise<number> {
  const program = new Command('flags-mesh')
    .description('A self-organizing feature-flag server. Without a command it serves.')
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: (text) => terminal.err(asSentence(text)),
    })
    .addHelpText('after', `\nSettings of serve:\n${describeConfig()}`)

  // Only for the list: whoever serves does not come here, see cli.ts.
  program.command('serve').description('run one node; its settings: flags-mesh serve --help')

  program
    .command('import')
    .argument('<file>', 'JSON document; - is standard input')
    .description('load flags and segments from a document, all or nothing')
    .addOption(
      new Option('--mode <mode>', 'replace also deletes what the document leaves out; merge by default').choices([
        'merge',
        'replace',
      ]),
    )
    .addOption(
      new Option('--format <format>', 'what the document is; flags by default').choices(['flags', 'flagd', 'unleash']),
    )
    .option('--namespace <name>', 'where what names no namespace goes')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((file, options) => importDocument(file, options, env, terminal))

  program
    .command('export')
    .argument('[file]', 'where to write it; standard output by default')
    .description('write all flags and segments as a document that import takes')
    .option('--namespace <name>', 'only this one')
    .option('--json', 'with a file: say as JSON what was written')
    .addHelpText('after', talks)
    .action((file, options) => exportDocument(file, options, env, terminal))

  program
    .command('eval')
    .argument('<key>', 'key of the flag')
    .description('evaluate a flag for a context')
    .option('--context <json>', 'attributes of the subject, like {"targetingKey":"user-1"}', '{}')
    .option('--namespace <name>')
    .option('--environment <name>')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((key, options) => evaluateFlag(key, options, env, terminal))

  program
    .command('members')
    .description('list the nodes of the mesh as this node sees them')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((options) => listMembers(options, env, terminal))

  addAuditCommands(program, env, terminal)
  addKeyCommands(program, env, terminal)

  program
    .command('keygen')
    .argument('<kind>', 'mesh: for --mesh-key; api: for --admin-key')
    .description('make a key and print it')
    .option('--json', 'answer as JSON')
    .action((kind, options) => generateKey(kind, options, terminal))

  try {
    await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
}

function addAuditCommands(program: Command, env: NodeJS.ProcessEnv, terminal: Terminal): void {
  const audit = program
    .command('audit')
    .description('list who changed what on any node, newest first')
    .option('--namespace <name>', 'only this one')
    .option('--key <key>', 'only this flag, segment or API key')
    .option('--actor <name>', 'only by this one, by id or name')
    .option('--from <time>', 'not before, like 2026-01-31T00:00:00Z')
    .option('--to <time>', 'before')
    .option('--limit <number>', 'so many', '100')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((options) => listAudit(options, env, terminal))

  audit
    .command('verify')
    .description('check on every live node that nobody changed the audit log; exit code 1 when somebody did')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    // Commander gives an option that the parent has as well to the parent.
    .action((_options, command: Command) => verifyAudit(command.optsWithGlobals(), env, terminal))

  program
    .command('history')
    .argument('<key>', 'key of the flag')
    .description('list the versions of a flag, newest first')
    .option('--namespace <name>')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((key, options) => showHistory(key, options, env, terminal))

  program
    .command('rollback')
    .argument('<key>', 'key of the flag')
    .argument('<version>', 'one of its history')
    .description('write an earlier version of a flag again')
    .option('--namespace <name>')
    .option('--reason <text>', 'why, for the history')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((key, version, options) => rollBack(key, version, options, env, terminal))
}

function addKeyCommands(program: Command, env: NodeJS.ProcessEnv, terminal: Terminal): void {
  const keys = program.command('keys').description('make, list and revoke API keys; needs the admin key')

  keys
    .command('list')
    .description('list the API keys, without their secrets')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((options) => listKeys(options, env, terminal))

  keys
    .command('create')
    .description('make an API key and print its secret, this once')
    .argument('<name>', 'who or what will use it')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).makeOptionMandatory())
    .option('--namespace <names...>', 'the only namespaces it sees')
    .option('--environment <names...>', 'the only environments it sees')
    .option('--rate-limit <number>', 'requests a minute at each node; 0 is no limit', Number)
    .option('--expires <time>', 'when it ends, like 2027-01-31T00:00:00Z')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((name, options) => createKey(name, options, env, terminal))

  keys
    .command('revoke')
    .description('end an API key, on every node')
    .argument('<id>', 'as keys list shows it')
    .option('--json', 'answer as JSON')
    .addHelpText('after', talks)
    .action((id, options) => revokeKey(id, options, env, terminal))
}

/** `error: unknown option '--x'` as people are told of it. */
function asSentence(text: string): string {
  const words = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\.$/, '')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}; see --help.\n`
}
