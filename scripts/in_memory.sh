#!/bin/sh
# Run a command with its temporary files in memory, where there is room: most of what tests wait for is a disk.
# They go with it; TMPDIR names a folder where they stay.
set -eu
free_kib=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || [ "${free_kib:-0}" -lt 4194304 ]; then
    exec "$@"
fi
TMPDIR=$(mktemp -d /dev/shm/o2c.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM
"$@"
