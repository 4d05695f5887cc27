import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const script = join(import.meta.dirname, '../../scripts/ensure-installed.mjs')
const lock = {
  packages: {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.2.3' },
    'node_modules/only-elsewhere': { version: '1.0.0', optional: true },
  },
}

interface Checkout {
  record(packages: Record<string, { version: string }>): void
  /** Runs the script; tells whether it called npm, and its exit code. */
  run(npmExitCode?: number): { readonly installed: boolean; readonly code: number | null; readonly err: string }
}

/** A checkout of its own, with an `npm` that only leaves a mark. */
function makeCheckout(): Checkout {
  const root = mkdtempSync(join(tmpdir(), 'flags-install-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const name of ['scripts', 'bin']) mkdirSync(join(root, name))
  copyFileSync(script, join(root, 'scripts/ensure-installed.mjs'))
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(lock))
  const mark = join(root, 'npm-was-called')
  return {
    record(packages) {
      mkdirSync(join(root, 'node_modules'), { recursive: true })
      writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages }))
    },
    run(npmExitCode = 0) {
      rmSync(mark, { force: true })
      writeFileSync(join(root, 'bin/npm'), `#!/bin/sh\necho "$@" > ${mark}\nexit ${npmExitCode}\n`)
      chmodSync(join(root, 'bin/npm'), 0o755)
      const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/ensure-installed.mjs')], {
        env: { PATH: `${join(root, 'bin')}:${process.env.PATH}` },
        encoding: 'utf8',
      })
      return { installed: existsSync(mark), code: status, err: stderr }
    },
  }
}

test('a fresh clone gets npm ci', () => {
  expect(makeCheckout().run()).toMatchObject({ installed: true, code: 0 })
})

test('what is installed as the lock file says is left alone, optional packages of other platforms aside', () => {
  const checkout = makeCheckout()
  checkout.record({ 'node_modules/a': { version: '1.2.3' } })
  expect(checkout.run()).toEqual({ installed: false, code: 0, err: '' })
})

test.each<[string, Record<string, { version: string }>]>([
  ['of another version', { 'node_modules/a': { version: '1.2.2' } }],
  ['missing', {}],
])('a package that is %s is installed', (_what, packages) => {
  const checkout = makeCheckout()
  checkout.record(packages)
  expect(checkout.run().installed).toBe(true)
})

test('an install that fails ends with exit code 1 and what to do', () => {
  const { code, err } = makeCheckout().run(7)
  expect(code).toBe(1)
  expect(err).toContain('npm ci failed')
})
