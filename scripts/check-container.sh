#!/usr/bin/env bash
# Builds the image for this machine, starts the three nodes of docker-compose.yml, and looks that they are healthy, mesh, run as they
# should, keep a flag over a kill, and stop on SIGTERM. Takes a minute; wants Docker with Compose, and the ports 8080 to 8082.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! { docker info && docker compose version; } >/dev/null 2>&1; then
  echo 'check-container: skipped, as no Docker engine with Compose answers here'
  exit 0
fi

case "$(uname -m)" in
  aarch64 | arm64) export PLATFORM=linux/arm64 ;;
  *) export PLATFORM="${PLATFORM:-linux/amd64}" ;;
esac
# A name of its own, so that no volume or container of the operator is touched. BUILD_OPTIONS: e.g. --network=host.
compose() { docker compose --project-name flags-check "$@"; }
fail() {
  echo "check-container: $*" >&2
  compose logs --tail 20 >&2
  exit 1
}
# Condition and deadline in seconds, then what is waited for.
within() {
  local deadline=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$what: not within its time"
    sleep 0.5
  done
}
# METHOD PATH BODY at NODE; prints the answer, fails when it is no 2xx.
call() {
  compose exec -T "$1" node -e '
    const [method, path, body] = process.argv.slice(1)
    const headers = { "x-api-key": process.env.FLAGS_ADMIN_KEY, ...(body && { "content-type": "application/json" }) }
    const answer = await fetch(`http://127.0.0.1:8080${path}`, { method, headers, body })
    console.log(await answer.text())
    process.exit(answer.ok ? 0 : 1)' "${@:2}"
}
alive() { [ "$(call node-2 GET /mesh | grep -o '"state":"alive"' | wc -l)" -eq 3 ]; }
on() { call "$1" GET '/flags/kept/evaluate?user_id=u1' | grep -q '"value":true'; }
healthy() { [ "$(compose ps --format '{{.Health}}' | grep -cx healthy)" -eq 3 ]; }

# shellcheck disable=SC2086
docker build ${BUILD_OPTIONS:-} --file Dockerfile.arm64 --build-arg PLATFORM="$PLATFORM" --tag flags-mesh .
FLAGS_MESH_KEY="$(docker run --rm --network none flags-mesh keygen mesh)"
FLAGS_ADMIN_KEY="$(docker run --rm --network none flags-mesh keygen api)"
export FLAGS_MESH_KEY FLAGS_ADMIN_KEY
trap 'compose down --volumes --timeout 5 >/dev/null 2>&1' EXIT

compose up --detach --no-build
within 120 'three members alive' alive
user="$(compose exec -T node-0 id -un)"
[ "$user" = node ] || fail "runs as $user"
compose exec -T node-0 grep -qa 'src/main.ts' /proc/1/cmdline || fail 'process 1 is not the node'
! compose exec -T node-0 touch /app/written 2>/dev/null || fail 'the root file system can be written'

call node-0 POST /flags '{"key":"kept","type":"boolean","variations":{"on":true,"off":false},"enabled":true,"offVariation":"off","fallthrough":{"variation":"on"}}' >/dev/null
within 30 'the flag at another node' on node-2
compose kill node-0 >/dev/null
compose up --detach --no-build --no-deps node-0
within 120 'the flag from the volume of a killed node' on node-0
within 120 'health checks' healthy

compose stop
codes="$(compose ps --all --format '{{.ExitCode}}' | sort -u)"
[ "$codes" = 0 ] || fail "SIGTERM did not end every node well: exit codes $codes"
echo "check-container: passed ($PLATFORM, $(docker image inspect --format '{{.Size}}' flags-mesh) bytes)"
