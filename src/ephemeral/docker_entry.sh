# Runs the official image's entry point, and stops the server once its owner is gone. The owner is a process on the
# Docker host that holds a connection; the container removes itself when this script ends.
#   $@  arguments of postgres
docker-entrypoint.sh postgres "$@" &
server=$!
# The first connection takes as long as initdb does.
patience=120
while kill -0 "$server" 2>/dev/null; do
    sleep 1
    if [ -e /tmp/rls-tool-keep ]; then
        wait "$server"
        exit 0
    fi
    owner=$(psql -XAtq -h 127.0.0.1 -U postgres -d postgres -c "select 1 from pg_stat_activity where application_name = 'rls-tool owner' limit 1" 2>/dev/null)
    if [ "$owner" = 1 ]; then
        patience=3
    else
        patience=$((patience - 1))
        [ "$patience" -le 0 ] && kill -QUIT "$server"
    fi
done
