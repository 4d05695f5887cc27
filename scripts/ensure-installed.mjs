// Runs `npm ci` when node_modules is missing or does not match package-lock.json. Plain JavaScript without dependencies:
// it runs on the machine's own Node (20 or newer), before there is anything else.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** What npm recorded of its last install, against what the lock file asks for. */
function isInstalled() {
  const wantedPath = join(root, 'package-lock.json')
  const presentPath = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(presentPath)) return false
  const wanted = JSON.parse(readFileSync(wantedPath, 'utf8')).packages
  const present = JSON.parse(readFileSync(presentPath, 'utf8')).packages
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    // '' is this project itself; optional ones are left out where they do not fit the platform.
    if (path === '' || optional || link) return true
    return present[path]?.version === version
  })
}

if (!isInstalled()) {
  console.error('Installing dependencies (npm ci) ...')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    console.error('npm ci failed: see above. Check the network and the disk, then try again.')
    process.exit(1)
  }
}
