#!/bin/sh
# Turn secret files into what the process is started with, then become the command.
set -eu
if [ -f /run/secrets/clickhouse-password ]; then
    TOWER_CLICKHOUSE="clickhouse://tower:$(cat /run/secrets/clickhouse-password)@${CLICKHOUSE_HOST:-clickhouse}:8123"
    export TOWER_CLICKHOUSE
fi
if [ -f /run/secrets/admin-token ]; then
    TOWER_ADMIN_TOKEN=$(cat /run/secrets/admin-token)
    export TOWER_ADMIN_TOKEN
fi
exec "$@"
