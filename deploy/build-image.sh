#!/usr/bin/env bash
# Builds the image, starts it as a container would be started, and checks it: cards for the sample patient, user 10001,
# a read-only root file system, no shell, the HEALTHCHECK. Prints sizes and times.
#
#   deploy/build-image.sh [TAG]            default: osteon:dev
#
# With docker or podman it uses them. Without (build agents, containers) it uses buildah in chroot isolation, as root,
# on Debian: apt-get install buildah debootstrap. Chroot isolation is a check of the build, not a security boundary.
#
# PYTHON_IMAGE   base image; default python:3.11-slim-bookworm. Where buildah cannot pull it, a base of the same release is
#                made with debootstrap and kept in out/image.
# DEBIAN_MIRROR  default http://deb.debian.org/debian
# ENGINE         docker, podman or buildah; default: the first that works
set -euo pipefail
cd "$(dirname "$0")/.."

tag=${1:-osteon:dev}
base=${PYTHON_IMAGE:-docker.io/library/python:3.11-slim-bookworm}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
work=$PWD/out/image
uid=10001
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' app/__init__.py)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
build_arguments=(--build-arg "VERSION=$version" --build-arg "REVISION=$revision")
mkdir -p "$work"

say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

engine=${ENGINE:-}
for candidate in docker podman; do
  if [ -z "$engine" ] && command -v "$candidate" >/dev/null && "$candidate" info >/dev/null 2>&1; then engine=$candidate; fi
done
engine=${engine:-buildah}
command -v "$engine" >/dev/null || fail "neither docker nor podman works, and $engine is not installed"

# --- docker and podman -----------------------------------------------------------------------------------------------
with_daemon() {
  local port status
  say "building $tag with $engine on $base"
  "$engine" build "${build_arguments[@]}" --build-arg "PYTHON_IMAGE=$base" --tag "$tag" .
  port=$(free_port)
  container=$("$engine" run --detach --read-only --cap-drop ALL --security-opt no-new-privileges \
    --publish "127.0.0.1:$port:8000" --env OSTEON_TRUST=off "$tag")
  # shellcheck disable=SC2064  # the id of now
  trap "$engine rm --force $container >/dev/null" EXIT
  python3 deploy/check_running.py "http://127.0.0.1:$port"
  [ "$("$engine" exec "$container" /opt/osteon/bin/python -c 'import os; print(os.getuid())')" = "$uid" ] ||
    fail "the container does not run as user $uid"
  status=0
  "$engine" stop --time 30 "$container" >/dev/null
  status=$("$engine" inspect --format '{{.State.ExitCode}}' "$container")
  [ "$status" = 0 ] || [ "$status" = 143 ] || fail "stopped with status $status"
  say "image size: $("$engine" image inspect --format '{{.Size}}' "$tag") bytes"
}

# --- buildah ---------------------------------------------------------------------------------------------------------
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
container='' root='' server='' started_as=''

clean_up() {
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then kill "$server"; wait "$server" || true; fi
  if [ -n "$container" ]; then
    if [ -n "$root" ]; then buildah umount "$container" >/dev/null; fi
    buildah rm "$container" >/dev/null
  fi
}

base_for_buildah() {
  if timeout 120 buildah pull --quiet "$base" >/dev/null 2>"$work/pull.log"; then return; fi
  base=localhost/osteon-base:bookworm
  if buildah inspect --type image "$base" >/dev/null 2>&1; then
    say "the base image cannot be pulled; using $base, made before"
    return
  fi
  say "the base image cannot be pulled ($(tail -n 1 "$work/pull.log" | cut -c 1-120)); making one with debootstrap"
  if [ ! -e "$work/rootfs/.complete" ]; then
    rm -rf "$work/rootfs"
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$work/rootfs" "$mirror" \
      >"$work/debootstrap.log"
    rm -rf "$work"/rootfs/var/cache/apt/archives/*.deb "$work"/rootfs/var/lib/apt/lists/*
    touch "$work/rootfs/.complete"
  fi
  local scratch
  scratch=$(buildah from scratch)
  buildah add --quiet "$scratch" "$work/rootfs" / >/dev/null
  buildah commit --quiet --rm "$scratch" "$base" >/dev/null
}

# One member of the image's config, a word per line.
image_config() {
  buildah inspect --type image "$tag" | python3 -c '
import json, sys
value = json.load(sys.stdin)["Docker"]["config"]
for name in sys.argv[1].split("."):
    value = value[name]
print(value if isinstance(value, str) else "\n".join(value))' "$1"
}

started() {  # waits for the port, runs the checks, stops the server and looks at how it ended
  python3 deploy/check_running.py "http://127.0.0.1:$1" --uid "$uid" --within 300 || { cat "$work/$started_as.log" >&2; exit 1; }
}

stopped() {
  local status=0 from
  from=$(date +%s%N)
  # The process that listens, not the wrapper around it: SIGTERM goes where Kubernetes would send it.
  kill -TERM "$(listener "$1")"
  wait "$server" || status=$?
  server=
  # uvicorn ends by the signal that it caught, after it has finished: 143 is a clean stop, and buildah calls it 1.
  [ "$status" = 0 ] || [ "$status" = 143 ] || grep -q '^subprocess exited on terminated$' "$work/$started_as.log" || { cat "$work/$started_as.log" >&2; fail "stopped with status $status"; }
  grep -q '"event":"stopped"' "$work/$started_as.log" || fail "the log does not say that the service stopped in order"
  say "stopped in order, $((($(date +%s%N) - from) / 1000000)) ms after SIGTERM"
}

listener() { pgrep --full --uid "$uid" -- "^/opt/osteon/bin/python .*serve .*--port $1"; }

with_buildah() {
  local begun port
  local -a command environment
  [ "$(id -u)" = 0 ] || fail "buildah's chroot isolation needs root here"
  trap clean_up EXIT
  base_for_buildah
  say "building $tag with buildah on $base"
  begun=$(date +%s)
  # The host's certificates: where a proxy opens TLS, pip must trust it while it builds; nothing of it stays.
  buildah bud --quiet --format docker "${build_arguments[@]}" --build-arg "PYTHON_IMAGE=$base" \
    --volume /etc/ssl/certs:/etc/ssl/certs:ro --tag "$tag" . >/dev/null
  say "built in $(($(date +%s) - begun)) s"
  [ "$(image_config User)" = "$uid:$uid" ] || fail "the image does not name user $uid"

  container=$(buildah from "$tag")
  port=$(free_port)
  # buildah shares the host's network: the port is a free one. Of two --port the last one counts.
  mapfile -t command < <(image_config Entrypoint && image_config Cmd)
  say "1. as a container: ${command[*]}"
  started_as=container
  buildah run "$container" -- "${command[@]}" --port "$port" >"$work/container.log" 2>&1 &
  server=$!
  started "$port"
  run_health "$port" || fail "HEALTHCHECK refuses a service that answers"
  say "HEALTHCHECK is content"
  stopped "$port"
  if run_health "$port" 2>/dev/null; then fail "HEALTHCHECK is content with a service that is not there"; fi
  say "HEALTHCHECK sees that it is gone"

  root=$(buildah mount "$container")
  say "2. the same with a read-only root file system and without any shell"
  port=$(free_port)
  started_as=read-only
  mapfile -t environment < <(image_config Env)
  unshare --mount env -i "${environment[@]}" bash deploy/run-read-only.sh "$root" "$uid" \
    /opt/osteon/bin/osteon serve --host 127.0.0.1 --port "$port" >"$work/read-only.log" 2>&1 &
  server=$!
  started "$port"
  stopped "$port"

  say "image $(buildah images --format '{{.Size}}' "$tag") in all, $(du -sm "$root/opt/osteon" | cut -f 1) MB of it ours"
}

run_health() {  # runs the HEALTHCHECK of the image against another port
  local -a health
  mapfile -t health < <(image_config Healthcheck.Test)
  [ "${health[0]:-}" = CMD ] || fail "HEALTHCHECK is not in exec form: it would need a shell"
  health=("${health[@]//8000/$1}")
  buildah run "$container" -- "${health[@]:1}"
}

if [ "$engine" = buildah ]; then with_buildah; else with_daemon; fi
say "all checks passed: $tag"
