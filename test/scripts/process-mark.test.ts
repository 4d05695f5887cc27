import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ClusterDirectory } from '../../scripts/cluster/local-node.ts'
import { startMarkOf } from '../../scripts/cluster/process-mark.ts'

function startSleeper() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, pid: child.pid as number }
}

function makeDirectory(): ClusterDirectory {
  const path = mkdtempSync(join(tmpdir(), 'flags-cluster-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return new ClusterDirectory(path)
}

test('a process keeps its mark as long as it lives, and has none afterwards', async () => {
  const { child, pid } = startSleeper()
  const mark = startMarkOf(pid)
  expect(mark).not.toBeNull()
  expect(startMarkOf(pid)).toBe(mark)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(startMarkOf(pid)).toBeNull()
})

test('a pid file whose pid belongs to another process by now is dropped, and that process is left alone', async () => {
  const { child, pid } = startSleeper()
  const home = makeDirectory()
  const stale = { index: 0, pid, startMark: 'started at another time', url: 'http://127.0.0.1:1' }
  writeFileSync(join(home.path, 'node-0.pid'), JSON.stringify(stale))
  expect(home.running()).toEqual([])
  await home.stop([stale])
  expect(startMarkOf(pid)).not.toBeNull()
  expect(child.signalCode).toBeNull()

  const own = { ...stale, startMark: startMarkOf(pid) as string }
  writeFileSync(join(home.path, 'node-0.pid'), JSON.stringify(own))
  expect(home.running()).toEqual([own])
  await home.stop([own])
  expect(startMarkOf(pid)).toBeNull()
})

test('a pid file that was cut off counts as none', () => {
  const home = makeDirectory()
  writeFileSync(join(home.path, 'node-0.pid'), '{"index":0,"pi')
  expect(home.running()).toEqual([])
})
