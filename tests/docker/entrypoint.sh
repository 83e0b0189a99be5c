#!/bin/sh
# The part of the official image's entry point that rls-tool relies on: initdb once, then postgres as user postgres.
set -e
: "${PGDATA:=/var/lib/postgresql/data}"
export PGDATA
# Anything but the server runs as it is.
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres "$PGDATA"
    chmod 700 "$PGDATA"
    exec su -p -s /bin/sh postgres -c 'exec "$0" "$@"' -- "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086  # several arguments in one variable, as in the official image
    initdb -D "$PGDATA" -U postgres -A trust $POSTGRES_INITDB_ARGS
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    # As the official image does: a temporary server that listens on no TCP port.
    pg_ctl -D "$PGDATA" -o "-c listen_addresses= -c unix_socket_directories=/tmp" -w start
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/tmp
