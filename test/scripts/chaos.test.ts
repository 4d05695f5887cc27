import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Life } from '../../scripts/chaos/arena.ts'
import { parseOptions } from '../../scripts/chaos/arguments.ts'
import { declaredDead } from '../../scripts/chaos/deaths.ts'
import { Ledger } from '../../scripts/chaos/ledger.ts'
import type { ChaosReport } from '../../scripts/chaos/run.ts'
import type { Row } from '../../scripts/chaos/table.ts'
import { whyNoVirtualNetwork } from '../e2e/harness/virtual-network.ts'

const main = join(import.meta.dirname, '../../scripts/chaos/main.ts')

/** Runs the command to its end, or kills it with the test. */
async function chaos(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...args])
  onTestFinished(() => void child.kill('SIGTERM'))
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

function life(
  node: number,
  id: string,
  fromWallMs: number,
  toWallMs: number | null,
  log: Life['process']['log'] = [],
): Life {
  const process = { url: '', pid: 0, log, end: async () => null }
  return { node, id, process, agent: new Agent(), fromWallMs, toWallMs }
}

test('chaos strikes three nodes, proves that it did, and finds nothing lost and no evaluation failed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'flags-chaos-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'report.json')
  const wired = whyNoVirtualNetwork() === null
  const args = ['--nodes', '3', '--minutes', '0', '--seed', '213', '--faults', 'crash,island,loss', '--out', path]

  const { code, out, err } = await chaos(args)

  expect(err).toBe('')
  expect(code).toBe(0)
  expect(out).toContain('seed 213')
  expect(out).toContain('| fault | strikes |')
  const report = JSON.parse(readFileSync(path, 'utf8')) as ChaosReport
  const [calm, crash, ...network] = report.rows as [Row, Row, ...Row[]]
  expect(report.broken).toEqual([])
  expect(report.skipped.length + network.length).toBe(2)
  expect(network.length).toBe(wired ? 2 : 0)
  expect(calm.acknowledged).toBeGreaterThan(0)
  for (const row of [crash, ...network]) {
    expect(row).toMatchObject({ strikes: 1, failed: 0, lost: 0, neverEqual: 0 })
    expect(row.evaluations).toBeGreaterThan(0)
  }
  // Whoever is cut off for seconds cannot know what the others wrote: the cut was real.
  for (const island of network.slice(0, 1)) expect(island.older).toBeGreaterThan(0)
}, 150_000)

test('chaos refuses what it does not know, and names it', async () => {
  expect(await chaos(['--faults', 'flood'])).toMatchObject({ code: 2, err: expect.stringContaining("'flood'") })
  expect(await chaos(['--nodes', 'many'])).toMatchObject({ code: 2, err: expect.stringContaining('--nodes') })
  expect(() => parseOptions(['--nodse', '3'], 1)).toThrow('--nodse')
  expect(parseOptions(['--help'], 1)).toBeNull()
})

test('the ledger misses a flag that is gone and a number that went back, each once', () => {
  const ledger = new Ledger()
  ledger.keep('kept-0-2')
  ledger.keep('kept-0-4')
  ledger.beat('beat-0', 1, 100)
  ledger.beat('beat-0', 3, 200)
  expect(ledger.acknowledged).toBe(4)
  const whole = new Map<string, unknown>([
    ['kept-0-2', 'on'],
    ['kept-0-4', 'on'],
    ['beat-0', 3],
  ])
  expect(ledger.newlyLost(whole)).toEqual([])
  const lacking = new Map<string, unknown>([
    ['kept-0-2', 'on'],
    ['beat-0', 1],
  ])
  expect(ledger.newlyLost(lacking)).toEqual(['kept-0-4', 'beat-0=3'])
  expect(ledger.newlyLost(lacking)).toEqual([])
})

test('an answer is as far behind as the oldest acknowledged write that it does not show', () => {
  const ledger = new Ledger()
  ledger.beat('beat-0', 1, 100)
  ledger.beat('beat-0', 3, 200)
  ledger.beat('beat-0', 5, 300)
  expect(ledger.behindMs('beat-0', 1, 1_000)).toBe(800)
  expect(ledger.behindMs('beat-0', 3, 1_000)).toBe(700)
  expect(ledger.behindMs('beat-0', 5, 1_000)).toBe(0)
  // A write that was never acknowledged may be there all the same.
  expect(ledger.behindMs('beat-0', 7, 1_000)).toBe(0)
})

test('a death counts when the node lived and nothing lay between it and who declared it', () => {
  const down = (member: string, time: number) => ({ msg: 'member down', member, time })
  const log = [down('b', 500), down('b', 1_500), down('b', 3_500), down('c', 500)]
  const lives = [life(0, 'a', 0, null, log), life(1, 'b', 0, 1_000), life(1, 'b', 2_000, null), life(2, 'c', 0, null)]
  const cut = { sides: [[0], [2]] as const, fromWallMs: 100, toWallMs: 600 }
  expect(declaredDead(lives, [cut])).toEqual([
    { by: 0, of: 1, atWallMs: 500 },
    { by: 0, of: 1, atWallMs: 3_500 },
  ])
  expect(declaredDead(lives, [])).toHaveLength(3)
})
