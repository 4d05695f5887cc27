import { expect, test } from 'vitest'
import { parseCommand, type StartCommand } from '../../scripts/cluster/arguments.ts'
import { UsageError } from '../../src/settings.ts'

function start(argv: readonly string[], env: NodeJS.ProcessEnv = {}, root = '/checkout'): StartCommand {
  const command = parseCommand(argv, env, root)
  if (command.type !== 'start') throw new Error(`${command.type} is no start`)
  return command
}

test('a number alone starts as many nodes from port 8080 on, in the foreground', () => {
  expect(start(['5'])).toMatchObject({ nodes: 5, basePort: 8080, detach: false, fresh: false, importFile: null })
})

test('after the number, own options are taken in any order, and the others are passed on to every node', () => {
  const command = start(['3', '--log-level', 'warn', '--fresh', '--import', 'f.json', '--detach'], {
    FLAGS_BASE_PORT: '9000',
  })
  expect(command).toMatchObject({ nodes: 3, basePort: 9000, detach: true, fresh: true, importFile: 'f.json' })
  expect(command.passedOn.slice(-2)).toEqual(['--log-level', 'warn'])
  expect(command.config.logLevel).toBe('warn')
  expect(start(['2', '--import=g.json']).importFile).toBe('g.json')
})

test('two checkouts have meshes of different names, unless one is given', () => {
  expect(start(['2'], {}, '/one').config.cluster).not.toBe(start(['2'], {}, '/two').config.cluster)
  expect(start(['2'], {}, '/one').config.cluster).toBe(start(['3'], {}, '/one').config.cluster)
  expect(start(['2', '--cluster', 'blue']).config.cluster).toBe('blue')
  expect(start(['2'], { FLAGS_CLUSTER: 'green' }).passedOn).not.toContain('--cluster')
})

test('status, stop, logs and help are commands of their own', () => {
  expect(parseCommand(['status'], {}, '/')).toEqual({ type: 'status' })
  expect(parseCommand(['stop'], {}, '/')).toEqual({ type: 'stop' })
  expect(parseCommand(['logs'], {}, '/')).toEqual({ type: 'logs', index: null })
  expect(parseCommand(['logs', '12'], {}, '/')).toEqual({ type: 'logs', index: 12 })
  expect(parseCommand(['3', '--help'], {}, '/')).toEqual({ type: 'help' })
})

test.each<[string[], NodeJS.ProcessEnv, RegExp]>([
  [[], {}, /How many nodes\?/],
  [['0'], {}, /number of nodes must be a whole number from 1 to 64, not '0'/],
  [['65'], {}, /from 1 to 64, not '65'/],
  [['five'], {}, /not 'five'/],
  [['--detach'], {}, /number of nodes/],
  [['3'], { FLAGS_BASE_PORT: '65534' }, /FLAGS_BASE_PORT must be a whole number from 1 to 65533/],
  [['3'], { FLAGS_BASE_PORT: 'x' }, /FLAGS_BASE_PORT/],
  [['3', '--import'], {}, /--import wants a file/],
  [['3', '--port', '1'], {}, /own --port; set FLAGS_BASE_PORT/],
  [['3', '--data-dir=x'], {}, /own --data-dir/],
  [['3', '--bogus'], {}, /There is no option --bogus/],
  [['3', '4'], {}, /no place for the argument 4/],
  [['3', '--host', '0.0.0.0'], {}, /--insecure/],
  [['3'], { FLAGS_LOG_LEVEL: 'loud' }, /FLAGS_LOG_LEVEL/],
  [['stop', 'now'], {}, /stop takes no arguments/],
  [['logs', 'x'], {}, /logs takes the number of one node/],
])('%j with %j is refused before anything is started', (argv, env, complaint) => {
  const parse = () => parseCommand(argv, env, '/checkout')
  expect(parse).toThrow(UsageError)
  expect(parse).toThrow(complaint)
})
