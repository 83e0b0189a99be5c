# Cleans up after the process that started us, however it ends. It holds the only write end of our stdin: end of file
# means that it is gone. Until then it tells us line by line what there is to stop: "<signal> <pid>".
#   $1  the directory to delete
# "DONE 0": nothing is left to do. "KEEP <pid>": the server outlives its starter; delete when the server ends.
trap '' INT TERM HUP QUIT
signal='' pid=''
while read -r a b; do
    signal=$a pid=$b
    [ "$signal" = DONE ] && exit 0
    [ "$signal" = KEEP ] && break
done
if [ "$signal" = KEEP ]; then
    while kill -0 "$pid" 2>/dev/null; do sleep 1; done
elif [ -n "$pid" ]; then
    # The whole group: initdb has children of its own.
    kill -s "$signal" -- "-$pid" 2>/dev/null
    tries=0
    # The file too: where nobody reaps orphans the process stays as a zombie.
    while [ -e "$1/data/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 60 ]; do
        [ "$signal" = KILL ] && break
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s KILL -- "-$pid" 2>/dev/null
fi
# Twice: a process that just received its signal may still have written a file.
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
