#!/usr/bin/env bash
# Starts a mesh of Flags nodes on this machine: ./easy_cluster.sh 5 (see ./easy_cluster.sh --help).
# Needs Node 20 or newer and npm; everything else is installed here.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

for tool in node npm; do
  if ! command -v "$tool" >/dev/null; then
    echo "easy_cluster.sh needs $tool: install Node.js 20 or newer from https://nodejs.org, then try again." >&2
    exit 1
  fi
done

node "$root/scripts/ensure-installed.mjs"
# From here on the exact runtime that package-lock.json pins, whatever the machine's own Node is.
exec "$root/node_modules/.bin/node" "$root/scripts/cluster.ts" "$@"
